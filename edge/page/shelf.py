"""The static files: htmx, styles, icons. Served under one digest, so that browsers keep them."""

import hashlib
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).with_name("static")
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
    """What lies in static/, read once; a file that is not there cannot be asked for.

    Args:
        fresh: read the folder again whenever a page is made, while somebody works on the files.
    """

    def __init__(self, *, fresh: bool = False) -> None:
        self._fresh = fresh
        self._read()

    def _read(self) -> None:
        files = sorted(file for file in _FOLDER.rglob("*") if file.suffix in _TYPES)
        self._files = {str(file.relative_to(_FOLDER)): file.read_bytes() for file in files}
        whole = hashlib.sha256()
        for name, data in self._files.items():
            whole.update(f"{name} {len(data)} ".encode() + data)
        self.digest = whole.hexdigest()[:16]

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
