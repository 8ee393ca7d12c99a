"""Checks passwords, a few at a time: hashing is meant to be slow, and to use 64 MB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from cloud.accounts.trouble import AccountRefused, AccountsTroubleError, LoginsBusy

SHORTEST: Final = 10
"""Characters of a password: what NIST SP 800-63B asks at least is 8."""

LONGEST: Final = 200
_AT_ONCE: Final = 2
_WAIT_S: Final = 3.0
_QUEUE: Final = 8
"""Logins that may wait or be checked; more would hold the threads that readers' pages need."""


class Hashing:
    """Argon2id with a bounded queue. Thread-safe."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._at_once = threading.BoundedSemaphore(_AT_ONCE)
        self._queue = threading.BoundedSemaphore(_QUEUE)

    def hashed(self, password: str) -> str:
        """What is kept of a new password.

        Raises:
            AccountRefused: `password-unusable`.
            LoginsBusy: see there.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise AccountRefused(
                "password-unusable",
                f"A password has {SHORTEST} to {LONGEST} characters: take a few words.",
            )
        with self._place():
            return self._hasher.hash(password)

    def fits(self, kept: str, password: str) -> bool:
        """Whether it is the password; with nothing kept it is not, after the same work.

        Raises:
            AccountsTroubleError: what is kept is no hash.
            LoginsBusy: see there.
        """
        with self._place():
            nobodys = self._nobodys  # always asked for: its first making takes time, too
            try:
                return self._hasher.verify(kept or nobodys, password) and bool(kept)
            except InvalidHashError as error:
                raise AccountsTroubleError(
                    "what the database keeps of this account's password is no argon2 hash: "
                    "set it again with `leukoscope-cloud user password`"
                ) from error
            except VerificationError:
                return False

    def is_dated(self, kept: str) -> bool:
        """Whether it was hashed with less work than is done now."""
        return self._hasher.check_needs_rehash(kept)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("a password that opens nothing")

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise LoginsBusy("Many are signing in: try again in a few seconds.")
        try:
            if not self._at_once.acquire(timeout=_WAIT_S):
                raise LoginsBusy("Many are signing in: try again in a few seconds.")
            try:
                yield
            finally:
                self._at_once.release()
        finally:
            self._queue.release()
