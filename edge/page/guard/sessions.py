"""Sessions: a signed cookie for every browser, and who has given the password."""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from itsdangerous import BadSignature, Signer

_MOST: Final = 200
"""Signed-in browsers at a time; the one idle longest is signed out first."""


@dataclass
class _Entered:
    last_press: float
    password: str
    """Which password it was, by its mark: a new one signs everybody out."""


class Sessions:
    """Made anew with every start of the agent, which therefore signs everybody out. Thread-safe.

    Args:
        idle_s: seconds without a press after which a session is signed out.
        password_mark: tells one password from the next; empty without one.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        idle_s: float,
        password_mark: Callable[[], str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        secret = secrets.token_bytes(32)
        self._cookies = Signer(secret, "cookie", digest_method=hashlib.sha256)
        self._tokens = Signer(secret, "csrf", digest_method=hashlib.sha256)
        self._idle_s = idle_s
        self._password_mark = password_mark
        self._clock = clock
        self._lock = threading.Lock()
        self._entered: dict[str, _Entered] = {}

    def new(self) -> str:
        """Id of a session that nobody has signed in to."""
        return secrets.token_urlsafe(24)

    def cookie(self, session: str) -> str:
        """The cookie's value."""
        return self._cookies.sign(session).decode()

    def of_cookie(self, cookie: str) -> str | None:
        """The session of a cookie; None when we did not sign it."""
        try:
            return self._cookies.unsign(cookie).decode()
        except (BadSignature, UnicodeError):
            return None

    def csrf(self, session: str) -> str:
        """What the session's own page sends with each press, and no foreign page can know."""
        return self._tokens.get_signature(session).decode()

    def csrf_fits(self, session: str, token: str) -> bool:
        """Whether the token is this session's."""
        return self._tokens.verify_signature(session, token)

    def enter(self) -> str:
        """A new session, signed in: never the old id, which somebody may have planted."""
        session = self.new()
        with self._lock:
            self._entered[session] = _Entered(self._clock(), self._password_mark())
            while len(self._entered) > _MOST:
                del self._entered[min(self._entered, key=lambda id_: self._entered[id_].last_press)]
        return session

    def leave(self, session: str) -> None:
        """Sign out."""
        with self._lock:
            self._entered.pop(session, None)

    def may_look(self, session: str | None) -> bool:
        """Whether the session is signed in and was used lately."""
        with self._lock:
            entered = self._entered.get(session or "")
            if entered is None:
                return False
            idle = self._clock() - entered.last_press
            if idle > self._idle_s or entered.password != self._password_mark():
                del self._entered[session or ""]
                return False
            return True

    def pressed(self, session: str) -> None:
        """Somebody used it just now."""
        with self._lock:
            if entered := self._entered.get(session):
                entered.last_press = self._clock()
