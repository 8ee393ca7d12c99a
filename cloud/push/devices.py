"""Devices that are to be told, kept in the accounts database."""

import hashlib
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as _postgres_insert
from sqlalchemy.dialects.sqlite import insert as _sqlite_insert
from sqlalchemy.engine import Connection

from cloud.accounts.database import Database
from cloud.accounts.tables import accounts
from cloud.push.endpoints import PushRefused, Subscription
from cloud.push.tables import devices, metadata, said

MOST_PER_ACCOUNT: Final = 10

_READ: Final = sa.select(accounts.c.name).where(
    accounts.c.disabled.is_(False), accounts.c.role.in_(("reader", "lead"))
)
"""Who opens slides, and so is told of them."""


@dataclass(frozen=True)
class Device:
    """One browser of one account."""

    id: str
    account: str
    endpoint: str
    p256dh: str
    auth: str
    tries: int
    """How often it was tried in vain since it was last told."""


class Devices:
    """Thread-safe. Times are seconds since 1970.

    Args:
        database: of accounts.
        room_key: public key that browsers are given now. Devices of another one are forgotten:
            their push services would refuse.

    Raises:
        AccountsTroubleError: the database does not answer; so for every method.
    """

    def __init__(self, database: Database, room_key: str) -> None:
        self._database = database
        self._room_key = room_key
        with database.writing() as connection:
            metadata.create_all(connection)
            connection.execute(sa.delete(devices).where(devices.c.room_key != room_key))

    def add(self, account: str, session: str, subscription: Subscription) -> None:
        """Note a device; one that another account had is this account's now.

        Raises:
            PushRefused: `push-devices-full`.
        """
        name = _id(subscription.endpoint)
        with self._database.writing() as connection:
            connection.execute(sa.delete(devices).where(devices.c.id == name))
            self._make_room(connection, account)
            row = {"id": name, "account": account, "session": _session(session), "tries": 0}
            row |= {"endpoint": subscription.endpoint, "room_key": self._room_key}
            row |= {"p256dh": subscription.keys.p256dh, "auth": subscription.keys.auth}
            connection.execute(sa.insert(devices), row)

    def holds(self, account: str, session: str, endpoint: str) -> bool:
        """Whether this device is told for this account; signing out in this session will end it."""
        here = (devices.c.id == _id(endpoint), devices.c.account == account)
        change = sa.update(devices).where(*here).values(session=_session(session))
        with self._database.writing() as connection:
            return connection.execute(change).rowcount == 1

    def drop(self, account: str, endpoint: str) -> bool:
        """Tell this device no more; False where it was not told."""
        return self._delete(devices.c.id == _id(endpoint), devices.c.account == account) == 1

    def drop_all(self, account: str) -> int:
        """Tell no device of this account any more; says how many there were."""
        return self._delete(devices.c.account == account)

    def drop_session(self, session: str) -> int:
        """Somebody has signed out there; says how many devices that were."""
        return self._delete(devices.c.session == _session(session))

    def drop_gone(self, device: Device) -> None:
        """The push service knows it no more."""
        self._delete(devices.c.id == device.id)

    def want(self, now: float, every_s: float, but: str = "") -> int:
        """Have devices told, each at most once in `every_s`, but those of one account.

        Says how many will be that were not going to be already.

        Those whose account may open no slides, or is disabled, are forgotten.
        """
        since = sa.func.coalesce(devices.c.told, 0.0) + every_s
        due = sa.case((since <= now, now), else_=since)
        with self._database.writing() as connection:
            connection.execute(sa.delete(devices).where(devices.c.account.not_in(_READ)))
            change = sa.update(devices).where(devices.c.due.is_(None), devices.c.account != but)
            return int(connection.execute(change.values(due=due, tries=0)).rowcount)

    def take(self, now: float, lease_s: float, at_most: int) -> list[Device]:
        """Those that are to be told now; nobody else gets them for `lease_s`."""
        first = sa.select(devices.c.id).where(devices.c.due <= now).order_by(devices.c.due)
        claim = (
            sa.update(devices)
            .where(devices.c.id.in_(first.limit(at_most)), devices.c.due <= now)
            .where(devices.c.account.in_(_READ))
            .values(due=now + lease_s)
            .returning(*(devices.c[name] for name in Device.__dataclass_fields__))
        )
        with self._database.writing() as connection:
            return [Device(*row) for row in connection.execute(claim)]

    def told(self, device: Device, now: float) -> None:
        """It was told."""
        self._update(device, due=None, told=now, tries=0)

    def not_yet(self, device: Device, due: float) -> None:
        """It has to be tried again, then."""
        self._update(device, due=due, tries=device.tries + 1)

    def given_up(self, device: Device) -> None:
        """It was not told, and is not tried again until a further slide needs somebody."""
        self._update(device, due=None, tries=0)

    def next_due(self) -> float | None:
        """When the next one is to be told; None where none is."""
        query = sa.select(sa.func.min(devices.c.due)).where(devices.c.account.in_(_READ))
        with self._database.reading() as connection:
            found: float | None = connection.execute(query).scalar_one()
            return found

    def first_time(self, site: str, slide: str, why: str, number: int = 0) -> bool:
        """Whether this has not been said of the slide before; noted as said from now on."""
        row = {"site": site, "slide": slide, "why": why, "number": number}
        with self._database.writing() as connection:
            postgres = connection.dialect.name == "postgresql"
            insert = _postgres_insert(said) if postgres else _sqlite_insert(said)
            added = insert.values(row).on_conflict_do_nothing().returning(said.c.slide)
            return connection.execute(added).first() is not None

    def _make_room(self, connection: Connection, account: str) -> None:
        query = sa.select(sa.func.count()).where(devices.c.account == account)
        if connection.execute(query).scalar_one() >= MOST_PER_ACCOUNT:
            raise PushRefused(
                "push-devices-full",
                f"{MOST_PER_ACCOUNT} of your devices are told already, and no more can be. Stop "
                "it on one of them, or stop it on all and begin anew here.",
            )

    def _delete(self, *where: sa.ColumnElement[bool]) -> int:
        with self._database.writing() as connection:
            return int(connection.execute(sa.delete(devices).where(*where)).rowcount)

    def _update(self, device: Device, **values: object) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.update(devices).where(devices.c.id == device.id).values(**values))


def _id(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode()).hexdigest()


def _session(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
