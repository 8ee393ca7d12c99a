"""A folder of kept pictures with a limit; several programs may share it."""

import contextlib
import hashlib
import os
import re
import tempfile
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple

import structlog

_WRITING: Final = ".writing-"
_BEGUN: Final = re.compile(rf"{re.escape(_WRITING)}.+")
_KEPT: Final = re.compile(r"[0-9a-f]{64}")
_LEFT_BEHIND_S: Final = 3600.0
"""A file that is being written for longer belongs to a program that was killed."""
_DIGEST: Final = hashlib.sha256().digest_size

_log = structlog.get_logger("cloud.pictures")


class Disk:
    """Bytes by name, the ones used last; each file begins with the SHA-256 of what it holds.

    Thread-safe. A file is written beside and renamed, so nobody ever reads a half; who reads what
    another program has just removed has not found it.

    Args:
        folder: made if need be, for this user alone.
        limit: bytes; a little more for a moment.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._counting = threading.Lock()
        self._written = 0
        self._trouble = ""
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            self._prune()
            with tempfile.TemporaryFile(dir=folder, prefix=_WRITING):
                pass
        except OSError as error:
            raise OSError(
                f"cannot keep pictures in {folder} ({error.strerror}): set picture_cache to a "
                "folder that belongs to this user, or picture_cache_mb to 0"
            ) from error

    def get(self, name: str) -> bytes | None:
        """What was put; None where it is gone, or no longer what was put."""
        path = self._path(name)
        try:
            whole = path.read_bytes()
            os.utime(path)
        except OSError:
            return None  # a cache: what cannot be read is fetched again
        data = whole[_DIGEST:]
        if hashlib.sha256(data).digest() == whole[:_DIGEST]:
            return data
        _log.warning("kept_picture_damaged", file=str(path))
        path.unlink(missing_ok=True)
        return None

    def put(self, name: str, data: bytes) -> None:
        """Keep it; a disk that cannot is told of once, and does without."""
        try:
            self._write(self._path(name), hashlib.sha256(data).digest() + data)
            self._count(_DIGEST + len(data))
        except OSError as error:
            self._tell(f"{type(error).__name__}: {error.strerror}")
        else:
            self._trouble = ""

    def _tell(self, trouble: str) -> None:
        if trouble != self._trouble:
            _log.warning("picture_not_kept", folder=str(self._folder), cause=trouble)
        self._trouble = trouble

    def _path(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()

    def _write(self, path: Path, whole: bytes) -> None:
        handle, beside = tempfile.mkstemp(dir=self._folder, prefix=_WRITING)  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(whole)
            os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(beside)
            raise

    def _count(self, size: int) -> None:
        """Look over the folder whenever a sixteenth of its limit was written."""
        with self._counting:
            self._written += size
            if self._written * 16 < self._limit:
                return
            self._written = 0
            self._prune()

    def _prune(self) -> None:
        held = 0
        for file in sorted(self._files(_KEPT), key=lambda file: file.used, reverse=True):
            held += file.size
            if held > self._limit:
                file.path.unlink(missing_ok=True)
        for file in self._files(_BEGUN):
            if file.used < time.time() - _LEFT_BEHIND_S:
                file.path.unlink(missing_ok=True)

    def _files(self, named: re.Pattern[str]) -> list["_File"]:
        """Ours only: who sets the folder to a wrong one loses nothing."""
        found = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if named.fullmatch(entry.name):
                    with contextlib.suppress(FileNotFoundError):  # another program was faster
                        state = entry.stat(follow_symlinks=False)
                        found.append(_File(Path(entry.path), state.st_size, state.st_mtime))
        return found


class _File(NamedTuple):
    path: Path
    size: int
    used: float
    """When, in seconds since 1970."""
