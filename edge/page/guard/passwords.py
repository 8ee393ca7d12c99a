"""The station's password: kept as an argon2 hash in a file of its own."""

import os
import tempfile
import threading
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
"""Characters of a password: what NIST SP 800-63B asks at least is 8."""

LONGEST: Final = 200
_WAIT_S: Final = 2.0
"""How long a login waits for the one before it: hashing is meant to be slow, and to use 64 MB."""


_QUEUE: Final = 3
"""Logins that may wait so; more would hold the threads that captures need."""


class PasswordError(ValueError):
    """The password cannot be used; the message says why."""


class PasswordBusy(RuntimeError):  # noqa: N818  # a state, not a fault
    """Other logins are being checked."""


class Passwords:
    """One password for the station. Thread-safe.

    Args:
        file: of the hash; need not be there.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._hasher = PasswordHasher()
        self._one_at_a_time = threading.Lock()
        self._queue = threading.BoundedSemaphore(_QUEUE)

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
        if not SHORTEST <= len(password) <= LONGEST:
            raise PasswordError(
                f"a password has {SHORTEST} to {LONGEST} characters: take a few words"
            )
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=self.file.parent)  # made with mode 0600
        with os.fdopen(descriptor, "w") as opened:
            opened.write(self._hasher.hash(password) + "\n")
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
        if not self._queue.acquire(blocking=False):
            raise PasswordBusy
        try:
            if not self._one_at_a_time.acquire(timeout=_WAIT_S):
                raise PasswordBusy
            try:
                return self._verified(password)
            finally:
                self._one_at_a_time.release()
        finally:
            self._queue.release()

    def _verified(self, password: str) -> bool:
        try:
            return self._hasher.verify(self.file.read_text().strip(), password)
        except InvalidHashError as error:
            raise PasswordError(
                f"{self.file} holds no argon2 hash: set the password again with "
                "`leukoscope-edge page password`"
            ) from error
        except VerificationError:
            return False
