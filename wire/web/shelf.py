"""Static files: htmx, styles, icons. Served under one digest, so that browsers keep them."""

import hashlib
from pathlib import Path
from typing import Final

from starlette.responses import Response

SHARED: Final = Path(__file__).with_name("static")
"""What both pages use."""

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class Shelf:
    """What lies in the shared folder and in a page's own, read once; nothing else can be asked for.

    Args:
        own: static/ of the page; its files go before shared ones of the same name.
        fresh: read the folders again whenever a page is made, while somebody works on the files.
    """

    def __init__(self, own: Path, *, fresh: bool = False) -> None:
        self._folders = (SHARED, own)
        self._fresh = fresh
        self._read()

    def _read(self) -> None:
        self._files = {
            str(file.relative_to(folder)): file.read_bytes()
            for folder in self._folders
            for file in sorted(folder.rglob("*"))
            if file.suffix in _TYPES
        }
        whole = hashlib.sha256()
        for name, data in self._files.items():
            whole.update(f"{name} {len(data)} ".encode() + data)
        self.digest = whole.hexdigest()[:16]

    @property
    def names(self) -> list[str]:
        """Of all files, in order."""
        return sorted(self._files)

    def has(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._files

    def url(self, name: str) -> str:
        """Where a file is served, under the digest of all.

        Raises:
            KeyError: there is none such; when fresh, the browser finds that out.
        """
        if self._fresh:
            self._read()
        if name not in self._files and not self._fresh:
            raise KeyError(f"no static file {name!r}")
        return f"/static/{self.digest}/{name}"

    def file(self, name: str) -> tuple[bytes, str] | None:
        """A file's bytes and media type."""
        data = self._files.get(name)
        return None if data is None else (data, _TYPES[Path(name).suffix])

    def answer(self, path: str, etag: str | None) -> Response | None:
        """The answer to a browser that asks for a file; None where there is none such.

        Args:
            path: behind `/static/`; under the digest the browser may keep it for good.
            etag: what the browser has, by If-None-Match.
        """
        under = f"{self.digest}/"
        found = self.file(path.removeprefix(under))
        if found is None:
            return None
        kept = _FOR_GOOD if path.startswith(under) else _ASK_AGAIN
        headers = {"Cache-Control": kept, "ETag": f'"{self.digest}"'}
        if etag == headers["ETag"]:
            return Response(None, 304, headers)
        return Response(found[0], headers=headers, media_type=found[1])
