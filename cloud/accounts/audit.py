"""The audit log: every view and every change, one behind the other, and nothing taken back."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

import sqlalchemy as sa

from cloud.accounts.append import Deed, append
from cloud.accounts.chain import Finding, Head, Line, examine
from cloud.accounts.database import Database
from cloud.accounts.tables import audit, audit_head
from cloud.accounts.together import Together

_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for; empty asks for all."""

    slide: str = ""
    site: str = ""
    who: str = ""
    """The account that did it, or that it was done to."""
    did: str = ""
    since: datetime | None = None


class Audit:
    """Takes notes that nobody can take back. Thread-safe.

    Args:
        database: where it is kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together = Together(self._write)

    def note(
        self,
        who: str,
        did: str,
        site: str = "",
        slide: str = "",
        detail: str = "",
        address: str = "",
        *,
        account: str = "",
    ) -> None:
        """Write a line, BEFORE what it tells of is done: what cannot be noted is not done.

        Args:
            who: name of the account; empty where nobody had signed in.
            did: a code: `slide-viewed`.
            site: of the slide; left out where it cannot be one.
            slide: its token; the same. Where a request names it, only once there is such a slide.
            detail: facts as `key=value key=value`, 200 characters at most; never a reader's words.
            address: where the request came from.
            account: name of the account that it was done to.

        Raises:
            AccountsTroubleError: it was not written.
            ValueError: `did` or `detail` is not of its form.
        """
        self._together.bring(Deed(who, did, site, slide, detail, address, account))

    def _write(self, deeds: list[Deed]) -> None:
        with self._database.writing() as connection:
            append(connection, deeds)

    @asynccontextmanager
    async def act(
        self,
        who: str,
        did: str,
        site: str = "",
        slide: str = "",
        detail: str = "",
        address: str = "",
        *,
        account: str = "",
    ) -> AsyncIterator[None]:
        """Note first, then do; where the doing fails, `…-not-done` is noted behind it.

        `…-cut-off` where the program was stopped meanwhile: the store knows whether it was done.
        An act that goes on in the background has it around itself there, not in the request.

        Raises:
            AccountsTroubleError: it was not noted, and so not done.
        """
        rest = (site, slide, detail, address)
        noting = asyncio.to_thread(self.note, who, did, *rest, account=account)
        noted = asyncio.ensure_future(noting)
        try:
            await asyncio.shield(noted)
            yield
        except BaseException as error:
            await asyncio.wait([noted])  # cut off while the thread still wrote
            if noted.exception() is None:
                end = "not-done" if isinstance(error, Exception) else "cut-off"
                await asyncio.to_thread(self.note, who, f"{did}-{end}", *rest, account=account)
            raise

    def head(self) -> Head:
        """Where the log ends; nowhere that any log ends, where that was removed."""
        with self._database.reading() as connection:
            query = sa.select(audit_head.c.number, audit_head.c.digest)
            row = connection.execute(query).one_or_none()
        return Head(0, "") if row is None else Head(row.number, row.digest)

    def page(self, wanted: Wanted, before: int | None = None, size: int = 100) -> list[Line]:
        """The latest lines first.

        Args:
            wanted: which.
            before: only lines of a smaller number.
            size: lines at most.
        """
        bound = [] if before is None else [audit.c.number < before]
        query = _query(wanted, bound, audit.c.number.desc(), size)
        with self._database.reading() as connection:
            return [_line(row) for row in connection.execute(query)]

    def lines(self, wanted: Wanted | None = None) -> Iterator[Line]:
        """All lines, in the order in which they were written."""
        last = 0
        while True:
            bound = [audit.c.number > last]
            query = _query(wanted or Wanted(), bound, audit.c.number.asc(), _PAGE)
            with self._database.reading() as connection:
                page = connection.execute(query).all()
            yield from (_line(row) for row in page)
            if len(page) < _PAGE:
                return
            last = page[-1].number

    def verify(self, noted: Iterable[Head] = ()) -> list[Finding]:
        """Everything that is not as it was written."""
        with self._database.reading() as connection:
            written = connection.execute(sa.select(sa.func.max(audit.c.number))).scalar() or 0
        head = self.head()  # asked for later: others go on writing, and it may only be further
        known = takewhile(lambda line: line.number <= head.number, self.lines())
        found = list(examine(known, head, noted))
        if written > head.number:
            found.append(Finding(head.number + 1, "beyond-end", "lines behind the log's own end"))
        return found


def _query(
    wanted: Wanted,
    bound: list[sa.ColumnElement[bool]],
    order: sa.UnaryExpression[int],
    size: int,
) -> sa.Select[Any]:
    """So many lines from an end of them, each read off an index."""
    conditions = bound + _conditions(wanted)
    query = sa.select(audit).order_by(order).limit(size)
    if not wanted.who:
        return query.where(*conditions)
    # The first of either kind: with OR the database would look through all lines for a rare name.
    either = [
        sa.select(audit.c.number).where(column == wanted.who, *conditions).order_by(order)
        for column in (audit.c.who, audit.c.account)
    ]
    firsts = [sa.select(one.limit(size).subquery().c.number) for one in either]
    return query.where(audit.c.number.in_(sa.union(*firsts)))


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions = [
        column == value
        for column, value in (
            (audit.c.slide, wanted.slide),
            (audit.c.site, wanted.site),
            (audit.c.did, wanted.did),
        )
        if value
    ]
    if wanted.since is not None:
        conditions.append(audit.c.at >= wanted.since)
    return conditions


def _line(row: sa.Row[Any]) -> Line:
    return Line(*(getattr(row, name) for name in Line.__struct_fields__))
