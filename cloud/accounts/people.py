"""Accounts: names, roles and how each comes in. None is ever deleted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias, get_args

import sqlalchemy as sa

from cloud.accounts.database import Database
from cloud.accounts.names import alike, checked, usable
from cloud.accounts.tables import accounts
from cloud.accounts.trouble import AccountRefused, AccountsTroubleError
from wire.web.hashing import LONGEST, SHORTEST, Hashing, PasswordError

Role: TypeAlias = Literal["reader", "lead", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True)
class Account:
    """Somebody who is signed in."""

    name: str
    role: Role


@dataclass(frozen=True)
class Listed:
    """An account as whoever keeps accounts sees it."""

    name: str
    role: Role
    disabled: bool
    has_password: bool
    subject: str | None
    """What the OIDC provider calls this person."""
    added_at: datetime


class Accounts:
    """Adds, changes and recognises people. Thread-safe.

    A name that stood in a review stays that person's: accounts are disabled, never deleted, and
    two names that differ only in case are one.

    Args:
        database: where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hashing = Hashing(at_once=2, queue=8, wait_s=3.0)
        self._nobodys = self._hashing.hashed("a password that opens nothing")

    def add(
        self,
        name: str,
        role: Role,
        password: str | None = None,
        oidc: tuple[str, str] | None = None,
    ) -> Account:
        """A new account; it comes in by password, by issuer and subject of OIDC, or either.

        Raises:
            AccountRefused: `name-unusable`, `role-unknown`, `password-unusable`, `no-way-in`,
                `name-taken` or `subject-taken`.
        """
        name, role = checked(name), _checked_role(role)
        if not password and oidc is None:
            raise AccountRefused("no-way-in", "Give the account a password or an OIDC subject.")
        kept = self._hashed(password) if password else ""
        issuer, subject = oidc or (None, None)
        row: dict[str, object] = {
            "name": name,
            "alike": alike(name),
            "role": role,
            "password": kept,
        }
        row |= {"issuer": issuer, "subject": subject, "disabled": False, "turn": 1}
        row |= {"added_at": datetime.now(UTC)}
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(accounts), row)
        except AccountsTroubleError as error:
            if isinstance(error.__cause__, sa.exc.IntegrityError):
                raise self._taken(name) from error
            raise
        return Account(name, role)

    def change_role(self, name: str, role: Role) -> Account:
        """Give another role; who is signed in has to sign in again.

        Raises:
            AccountRefused: `role-unknown` or `account-unknown`.
        """
        return self._change(name, role=_checked_role(role))

    def disable(self, name: str) -> Account:
        """Let this person in no more, at once.

        Raises:
            AccountRefused: `account-unknown`.
        """
        return self._change(name, disabled=True)

    def enable(self, name: str) -> Account:
        """Let the same person in again.

        Raises:
            AccountRefused: `account-unknown`.
        """
        return self._change(name, disabled=False)

    def set_password(self, name: str, password: str) -> Account:
        """A new password; who is signed in has to sign in again.

        Raises:
            AccountRefused: `password-unusable` or `account-unknown`.
        """
        return self._change(name, password=self._hashed(password))

    def list(self) -> list[Listed]:
        """All, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(accounts).order_by(accounts.c.alike)).all()
        return [
            Listed(row.name, row.role, row.disabled, bool(row.password), row.subject, row.added_at)
            for row in rows
        ]

    def check_password(self, name: str, password: str) -> Account | None:
        """Whose name and password these are; nobody's takes as long to find out.

        Raises:
            PasswordBusy: too many at once.
        """
        row = self._row(name)
        kept = "" if row is None else row.password
        if not self._fits(kept, password) or row is None or row.disabled:
            return None
        if self._hashing.is_dated(kept):
            self._rehash(row.name, kept, password)
        return Account(row.name, row.role)

    def by_oidc(self, issuer: str, subject: str) -> Account | None:
        """Whom the provider means."""
        query = sa.select(accounts).where(
            accounts.c.issuer == issuer, accounts.c.subject == subject
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None or row.disabled else Account(row.name, row.role)

    def known(self, name: str) -> str:
        """The name as it is kept; empty where there is no such account."""
        row = self._row(name)
        return "" if row is None else row.name

    def _row(self, name: str) -> sa.Row[Any] | None:
        if not usable(name):  # somebody types: not everything is worth a question
            return None
        query = sa.select(accounts).where(accounts.c.alike == alike(name))
        with self._database.reading() as connection:
            return connection.execute(query).one_or_none()

    def _change(self, name: str, **values: object) -> Account:
        change = (
            sa.update(accounts)
            .where(accounts.c.alike == alike(name))
            .values(turn=accounts.c.turn + 1, **values)
            .returning(accounts.c.name, accounts.c.role)
        )
        row = None
        if usable(name):
            with self._database.writing() as connection:
                row = connection.execute(change).one_or_none()
        if row is None:
            raise AccountRefused(
                "account-unknown",
                f"There is no account {name!r}: `leukoscope-cloud user list` shows all.",
            )
        return Account(row.name, row.role)

    def _taken(self, name: str) -> AccountRefused:
        if known := self.known(name):
            return AccountRefused(
                "name-taken",
                f"There is an account {known!r}. A name is never given to another person: "
                "take one that tells them apart.",
            )
        return AccountRefused("subject-taken", "Another account comes in by this OIDC subject.")

    def _hashed(self, password: str) -> str:
        try:
            return self._hashing.hashed(password)
        except PasswordError as error:
            raise AccountRefused(
                "password-unusable",
                f"A password has {SHORTEST} to {LONGEST} characters: take a few words.",
            ) from error

    def _fits(self, kept: str, password: str) -> bool:
        """Where nothing is kept it does not fit, after the same work."""
        try:
            return self._hashing.fits(kept or self._nobodys, password) and bool(kept)
        except PasswordError as error:
            raise AccountsTroubleError(
                "what the database keeps of this account's password is no argon2 hash: "
                "set it again with `leukoscope-cloud user password`"
            ) from error

    def _rehash(self, name: str, kept: str, password: str) -> None:
        """The same password with today's work; nobody is signed out."""
        hashed = self._hashing.hashed(password)
        change = sa.update(accounts).where(accounts.c.name == name, accounts.c.password == kept)
        with self._database.writing() as connection:
            connection.execute(change.values(password=hashed))


def _checked_role(role: str) -> Role:
    for known in ROLES:
        if role == known:
            return known
    raise AccountRefused("role-unknown", f"There is no role {role!r}: take {', '.join(ROLES)}.")
