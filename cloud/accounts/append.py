"""Writes lines of the audit log, each behind the one before."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.engine import Connection

from cloud.accounts.chain import DETAIL, DID, LONGEST_DETAIL, Line, sealed
from cloud.accounts.tables import audit, audit_head
from wire.topics import NAME_PATTERN

_NAME: Final = re.compile(NAME_PATTERN)
_ADDRESS: Final = 80


@dataclass(frozen=True, slots=True)
class Deed:
    """What a line is to tell; `Audit.note` says what each part is.

    Raises:
        ValueError: `did` or `detail` is not of its form.
    """

    who: str
    did: str
    site: str = ""
    slide: str = ""
    detail: str = ""
    address: str = ""
    account: str = ""
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        if not DID.fullmatch(self.did):
            raise ValueError(f"{self.did!r} is no code of the audit log: small letters and dashes")
        if len(self.detail) > LONGEST_DETAIL or not DETAIL.fullmatch(self.detail):
            raise ValueError("a detail of the audit log is key=value, without any free text")

    def line(self, number: int, before: str) -> Line:
        """At its place in the chain."""
        rest = (self.account, _token(self.site), _token(self.slide), self.detail)
        address = self.address[:_ADDRESS]
        return sealed(Line(number, self.at, self.who, self.did, *rest, address, before, digest=""))


def append(connection: Connection, deeds: list[Deed]) -> None:
    """Write them within a transaction, so that what they tell of can be done in the same."""
    up = sa.update(audit_head).values(number=audit_head.c.number + len(deeds))
    last, before = connection.execute(up.returning(audit_head.c.number, audit_head.c.digest)).one()
    lines = list(_chained(deeds, last - len(deeds) + 1, before))
    connection.execute(sa.insert(audit), [asdict(line) for line in lines])
    connection.execute(sa.update(audit_head).values(digest=lines[-1].digest))


def _chained(deeds: Iterable[Deed], number: int, before: str) -> Iterable[Line]:
    for deed in deeds:
        line = deed.line(number, before)
        yield line
        number, before = number + 1, line.digest


def _token(name: str) -> str:
    return name if _NAME.fullmatch(name) else ""
