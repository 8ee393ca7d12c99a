"""The station's password: kept as an argon2 hash in a file of its own."""

import os
import tempfile
from pathlib import Path

from wire.web.hashing import LONGEST, SHORTEST, Hashing, PasswordBusy, PasswordError

__all__ = ["LONGEST", "SHORTEST", "PasswordBusy", "PasswordError", "Passwords"]


class Passwords:
    """One password for the station. Thread-safe.

    Args:
        file: of the hash; need not be there.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._hashing = Hashing()

    @property
    def is_set(self) -> bool:
        """Whether there is a password."""
        return self.file.exists()

    def mark(self) -> str:
        """Changes with the password; empty without one."""
        try:
            status = self.file.stat()
        except FileNotFoundError:
            return ""
        return f"{status.st_mtime_ns} {status.st_ino}"

    def set(self, password: str) -> None:
        """Keep its hash, readable by this user only; who was signed in no longer is.

        Raises:
            PasswordError: it is too short or too long.
            OSError: the file cannot be written.
        """
        hashed = self._hashing.hashed(password)
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=self.file.parent)  # made with mode 0600
        with os.fdopen(descriptor, "w") as opened:
            opened.write(hashed + "\n")
            opened.flush()
            os.fsync(opened.fileno())
            if os.geteuid() == 0:  # set with sudo: the agent, whose folder it is, has to read it
                owner = self.file.parent.stat()
                os.fchown(opened.fileno(), owner.st_uid, owner.st_gid)
        Path(name).replace(self.file)

    def fits(self, password: str) -> bool:
        """Whether it is the password.

        Raises:
            PasswordBusy: see there.
            PasswordError: the file is no hash.
            OSError: the file cannot be read.
        """
        try:
            return self._hashing.fits(self.file.read_text().strip(), password)
        except PasswordError as error:
            raise PasswordError(
                f"{self.file} holds no argon2 hash: set the password again with "
                "`leukoscope-edge page password`"
            ) from error
