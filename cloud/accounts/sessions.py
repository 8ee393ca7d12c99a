"""Sessions: a signed cookie for every browser, and who has signed in with it."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
from itsdangerous import BadSignature, Signer

from cloud.accounts.database import Database
from cloud.accounts.people import Account
from cloud.accounts.tables import accounts, sessions
from cloud.accounts.trouble import AccountRefused

_MOST: Final = 20
"""Signed-in browsers of one account; the one idle longest is signed out first."""

_NOTED_EVERY: Final = timedelta(seconds=20)
"""A press is written down at most so often: a page of pictures is not a hundred writes."""


class Sessions:
    """Who is signed in. Thread-safe.

    In the database, so that a restart or a second server signs nobody out, and whoever disables an
    account ends its sessions wherever they are: each request looks at session and account as they
    stand now.

    A *session* is a random id. What the browser holds is its *cookie*, the id signed.

    Args:
        database: where they are kept; a session's id only as its SHA-256.
        idle_s: seconds without a press after which a session is over.
        longest_s: seconds after which it is over however busy.
        clock: says what time it is.
    """

    def __init__(
        self,
        database: Database,
        idle_s: float = 1800.0,
        longest_s: float = 43_200.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._cookies = Signer(database.secret, "cookie", digest_method=hashlib.sha256)
        self._tokens = Signer(database.secret, "csrf", digest_method=hashlib.sha256)
        self._idle = timedelta(seconds=idle_s)
        self._longest = timedelta(seconds=longest_s)
        self._clock = clock

    def new(self) -> str:
        """A session that nobody has signed in to: it is not kept."""
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

    def enter(self, account: Account) -> str:
        """A new session, signed in: never the old id, which somebody may have planted.

        Raises:
            AccountRefused: `account-disabled`, just now.
        """
        session, now = self.new(), self._clock()
        me = sa.select(accounts.c.turn).where(accounts.c.name == account.name)
        row = {"id": _kept(session), "name": account.name, "began_at": now, "pressed_at": now}
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(self._over(now)))
            turn = connection.scalar(me.where(accounts.c.disabled == sa.false()))
            if turn is None:
                raise AccountRefused("account-disabled", "This account was disabled just now.")
            connection.execute(sa.insert(sessions), row | {"turn": turn})
            connection.execute(sa.delete(sessions).where(_too_many(account.name)))
        return session

    def of(self, session: str | None) -> Account | None:
        """Who is signed in with it now; nobody, when it is over or its account changed."""
        if not session:
            return None
        query = (
            sa.select(accounts.c.name, accounts.c.role)
            .join_from(sessions, accounts)
            .where(sessions.c.id == _kept(session))
            .where(sessions.c.turn == accounts.c.turn, accounts.c.disabled == sa.false())
            .where(sa.not_(self._over(self._clock())))
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else Account(row.name, row.role)

    def pressed(self, session: str) -> None:
        """Somebody used it just now."""
        now = self._clock()
        due = sa.and_(
            sessions.c.id == _kept(session),
            sessions.c.pressed_at < now - _NOTED_EVERY,
            sa.not_(self._over(now)),
        )
        with self._database.reading() as connection:
            if connection.execute(sa.select(sessions.c.id).where(due)).first() is None:
                return
        with self._database.writing() as connection:
            connection.execute(sa.update(sessions).where(due).values(pressed_at=now))

    def leave(self, session: str) -> None:
        """Sign out."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.id == _kept(session)))

    def _over(self, now: datetime) -> sa.ColumnElement[bool]:
        """Idle too long or too old."""
        return sa.or_(
            sessions.c.pressed_at < now - self._idle, sessions.c.began_at < now - self._longest
        )


def _too_many(name: str) -> sa.ColumnElement[bool]:
    mine = sa.select(sessions.c.id).where(sessions.c.name == name)
    kept = mine.order_by(sessions.c.pressed_at.desc(), sessions.c.began_at.desc()).limit(_MOST)
    return sa.and_(sessions.c.name == name, sessions.c.id.not_in(kept))


def _kept(session: str) -> str:
    return hashlib.sha256(session.encode(errors="backslashreplace")).hexdigest()
