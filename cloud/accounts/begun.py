"""Logins by OIDC that were begun: what has to come back, each of them once."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from cloud.accounts.database import Database
from cloud.accounts.tables import oidc_logins

PATIENCE: Final = timedelta(minutes=10)
"""How long somebody may take at the provider."""

_MOST: Final = 1000
"""Logins that are under way; the one begun longest ago is forgotten first."""


@dataclass(frozen=True)
class Begun:
    """One of them."""

    state: str
    nonce: str
    verifier: str
    """Of PKCE."""
    after: str
    """The path of this page that was asked for."""


class BegunLogins:
    """Keeps them. Thread-safe.

    Args:
        database: of accounts; of `state` and browser it holds only the SHA-256.
        clock: says what time it is.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._database = database
        self._clock = clock

    def begin(self, browser: str, after: str) -> Begun:
        """A new one.

        Args:
            browser: its session: only the same browser can finish it.
            after: the path that was asked for.
        """
        now = self._clock()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        made = Begun(state, nonce, verifier, after)
        row = {"id": _kept(made.state), "browser": _kept(browser), "nonce": made.nonce}
        row |= {"verifier": made.verifier, "after": after}
        newest = sa.select(oidc_logins.c.id).order_by(oidc_logins.c.began_at.desc()).limit(_MOST)
        with self._database.writing() as connection:
            connection.execute(sa.delete(oidc_logins).where(_late(now)))
            connection.execute(sa.insert(oidc_logins), [row | {"began_at": now}])
            connection.execute(sa.delete(oidc_logins).where(oidc_logins.c.id.not_in(newest)))
        return made

    def take(self, browser: str, state: str) -> Begun | None:
        """The one of this state and browser; it is gone then, whatever becomes of it."""
        taken = (
            sa.delete(oidc_logins)
            .where(oidc_logins.c.id == _kept(state), oidc_logins.c.browser == _kept(browser))
            .where(sa.not_(_late(self._clock())))
            .returning(oidc_logins.c.nonce, oidc_logins.c.verifier, oidc_logins.c.after)
        )
        with self._database.writing() as connection:
            row = connection.execute(taken).one_or_none()
        return None if row is None else Begun(state, row.nonce, row.verifier, row.after)


def _late(now: datetime) -> sa.ColumnElement[bool]:
    return oidc_logins.c.began_at < now - PATIENCE


def _kept(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="backslashreplace")).hexdigest()
