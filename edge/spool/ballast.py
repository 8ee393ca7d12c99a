"""Room that is kept on the disk so that a full one can be emptied again.

To let a frame go, SQLite has to write: on a disk without a free byte no receipt could be noted, the
spool would stay as full as it is, and nothing but a person could help.
"""

import os
from pathlib import Path
from typing import Final

BALLAST_BYTES: Final = 8 * 1024 * 1024
"""More than SQLite's log holds before it is taken into the database (4 MB), and one more frame."""


class Ballast:
    """A file of nothing, thrown overboard when the disk is full, taken aboard when it is not.

    Args:
        file: beside the spool, on the same disk.
        size: in bytes.
    """

    def __init__(self, file: Path, size: int = BALLAST_BYTES) -> None:
        self._file = file
        self._size = size

    def hold(self) -> bool:
        """Take it aboard; False when the disk has no room for it."""
        try:
            if self._file.stat().st_size >= self._size:
                return True
        except FileNotFoundError:
            pass
        except OSError:
            return False
        try:
            self._fill()
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Throw it overboard; whether there was any."""
        try:
            self._file.unlink()
        except OSError:
            return False
        return True

    def _fill(self) -> None:
        """Blocks of its own, not a hole: posix_fallocate takes them whatever the file system."""
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, self._size)
        finally:
            os.close(descriptor)
