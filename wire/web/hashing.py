"""Passwords as argon2 hashes, checked a few at a time: it is meant to be slow, and to use 64 MB."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST: Final = 10
"""Characters of a password: what NIST SP 800-63B asks at least is 8."""

LONGEST: Final = 200


class PasswordError(ValueError):
    """The password cannot be used; the message says why."""


class PasswordBusy(RuntimeError):  # noqa: N818  # a state, not a fault
    """Other logins are being checked."""


class Hashing:
    """Argon2id with a bounded queue. Thread-safe.

    Args:
        at_once: hashes that are worked on at a time.
        queue: logins that are worked on or wait; more would hold the threads that others need.
        wait_s: how long a login waits for those before it.
    """

    def __init__(self, at_once: int = 1, queue: int = 3, wait_s: float = 2.0) -> None:
        self._hasher = PasswordHasher()
        self._at_once = threading.BoundedSemaphore(at_once)
        self._queue = threading.BoundedSemaphore(queue)
        self._wait_s = wait_s

    def hashed(self, password: str) -> str:
        """What is kept of a new password.

        Raises:
            PasswordError: it is too short or too long.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise PasswordError(
                f"a password has {SHORTEST} to {LONGEST} characters: take a few words"
            )
        return self._hasher.hash(password)

    def fits(self, kept: str, password: str) -> bool:
        """Whether it is the password of this hash.

        Raises:
            PasswordBusy: see there.
            PasswordError: what was kept is no hash.
        """
        with self._place():
            try:
                return self._hasher.verify(kept, password)
            except InvalidHashError as error:
                raise PasswordError("no argon2 hash") from error
            except VerificationError:
                return False

    def is_dated(self, kept: str) -> bool:
        """Whether it was hashed with other work than is done now."""
        return self._hasher.check_needs_rehash(kept)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._queue.acquire(blocking=False):
            raise PasswordBusy
        try:
            if not self._at_once.acquire(timeout=self._wait_s):
                raise PasswordBusy
            try:
                yield
            finally:
                self._at_once.release()
        finally:
            self._queue.release()
