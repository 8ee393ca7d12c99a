"""Accounts: names, roles and how each comes in. None is ever deleted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeAlias, get_args

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from cloud.accounts.append import Deed, append
from cloud.accounts.database import Database
from cloud.accounts.names import alike, checked, usable
from cloud.accounts.tables import accounts
from cloud.accounts.trouble import AccountRefused, AccountsTroubleError
from wire.web.hashing import LONGEST, SHORTEST, Hashing, PasswordError

Role: TypeAlias = Literal["reader", "lead", "admin"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_SUBJECT: Final = 255
"""Characters of an OIDC subject."""


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


@dataclass(frozen=True)
class By:
    """On whose word an account is changed; that stands in the audit log."""

    who: str = ""
    """Account; empty for whoever runs the program."""
    address: str = ""


class Accounts:
    """Adds, changes and recognises people. Thread-safe.

    Every change and its line of the audit log are one transaction.

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
        by: By = By(),
    ) -> Account:
        """A new account; it comes in by password, by issuer and subject of OIDC, or either.

        Raises:
            AccountRefused: `name-unusable`, `role-unknown`, `password-unusable`, `no-way-in`,
                `subject-unusable`, `name-taken` or `subject-taken`.
        """
        name, role = checked(name), checked_role(role)
        if not password and oidc is None:
            raise AccountRefused("no-way-in", "Give the account a password or an OIDC subject.")
        kept = self._hashed(password) if password else ""
        issuer, subject = _checked_oidc(*oidc) if oidc else (None, None)
        row: dict[str, object] = {
            "name": name,
            "alike": alike(name),
            "role": role,
            "password": kept,
        }
        row |= {"issuer": issuer, "subject": subject, "disabled": False, "turn": 1}
        row |= {"added_at": datetime.now(UTC)}
        ways = "+".join(way for way, there in (("password", password), ("oidc", oidc)) if there)
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(accounts), row)
                _note(connection, by, "account-added", name, f"role={role} by={ways}")
        except AccountsTroubleError as error:
            if isinstance(error.__cause__, sa.exc.IntegrityError):
                raise self._taken(name) from error
            raise
        return Account(name, role)

    def change_role(self, name: str, role: Role, by: By = By()) -> Account:
        """Give another role; who is signed in has to sign in again.

        Raises:
            AccountRefused: `role-unknown` or `account-unknown`.
        """
        role = checked_role(role)
        return self._change(name, by, "account-role", f"role={role}", role=role)

    def disable(self, name: str, by: By = By()) -> Account:
        """Let this person in no more, at once.

        Raises:
            AccountRefused: `account-unknown`.
        """
        return self._change(name, by, "account-disabled", disabled=True)

    def enable(self, name: str, by: By = By()) -> Account:
        """Let the same person in again.

        Raises:
            AccountRefused: `account-unknown`.
        """
        return self._change(name, by, "account-enabled", disabled=False)

    def set_password(self, name: str, password: str, by: By = By()) -> Account:
        """A new password; who is signed in has to sign in again.

        Raises:
            AccountRefused: `password-unusable` or `account-unknown`.
        """
        return self._change(name, by, "account-password", password=self._hashed(password))

    def set_subject(self, name: str, issuer: str, subject: str, by: By = By()) -> Account:
        """Let in by OIDC, too; who is signed in has to sign in again.

        Raises:
            AccountRefused: `account-unknown`, `subject-unusable` or `subject-taken`.
        """
        issuer, subject = _checked_oidc(issuer, subject)
        try:
            return self._change(name, by, "account-subject", issuer=issuer, subject=subject)
        except AccountsTroubleError as error:
            if isinstance(error.__cause__, sa.exc.IntegrityError):
                raise _subject_taken() from error
            raise

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

    def _change(self, name: str, by: By, did: str, detail: str = "", **values: object) -> Account:
        change = (
            sa.update(accounts)
            .where(accounts.c.alike == alike(name))
            .values(turn=accounts.c.turn + 1, **values)
            .returning(accounts.c.name, accounts.c.role)
        )
        if not usable(name):
            raise _unknown(name)
        with self._database.writing() as connection:
            row = connection.execute(change).one_or_none()
            if row is None:
                raise _unknown(name)
            _note(connection, by, did, row.name, detail)
        return Account(row.name, row.role)

    def _taken(self, name: str) -> AccountRefused:
        if known := self.known(name):
            return AccountRefused(
                "name-taken",
                f"There is an account {known!r}. A name is never given to another person: "
                "take one that tells them apart.",
            )
        return _subject_taken()

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


def _note(connection: Connection, by: By, did: str, name: str, detail: str) -> None:
    append(connection, [Deed(by.who, did, detail=detail, address=by.address, account=name)])


def _unknown(name: str) -> AccountRefused:
    return AccountRefused(
        "account-unknown", f"There is no account {name!r}: look at the list of all accounts."
    )


def _subject_taken() -> AccountRefused:
    return AccountRefused("subject-taken", "Another account comes in by this OIDC subject.")


def _checked_oidc(issuer: str, subject: str) -> tuple[str, str]:
    """OIDC lets a subject have 255 ASCII characters."""
    if not (1 <= len(subject) <= _SUBJECT and subject.isascii() and subject.isprintable()):
        raise AccountRefused(
            "subject-unusable",
            f"An OIDC subject has 1 to {_SUBJECT} printable ASCII characters: take it from the "
            "page that refused this person, or from the provider.",
        )
    return issuer, subject


def checked_role(role: str) -> Role:
    """The role of that name.

    Raises:
        AccountRefused: `role-unknown`.
    """
    for known in ROLES:
        if role == known:
            return known
    raise AccountRefused("role-unknown", f"There is no role {role!r}: take {', '.join(ROLES)}.")
