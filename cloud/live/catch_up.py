"""Brings the projection up to the bucket, whatever came while nobody listened.

It only adds: a stored result and an entry are never written again, so what is missing is all that
can differ. That the projection holds nothing of its own is what `leukoscope-cloud reindex` proves.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Final, NamedTuple

import sqlalchemy as sa
import structlog

from cloud.index.index import Index, SlideKey
from cloud.index.sound import reviewed
from cloud.index.tables import fields, reviews
from cloud.live.intake import Intake
from cloud.stores import keys
from cloud.stores.objects import Objects

_BATCH: Final = 200
"""Results a transaction: short ones, since somebody may be reading and writing meanwhile."""

_log = structlog.get_logger("cloud.live")


class _Stored(NamedTuple):
    """A result's key taken apart."""

    site: str
    device: str
    capture_id: str
    key: str


class CatchUp:
    """One run after the other, as often as `run` is called.

    Args:
        objects: the bucket.
        index: the projection.
        intake: the way into it.
        site: whose slides; None for all.
        told: called with each slide that was behind; whether it has a new chain.
    """

    def __init__(
        self,
        objects: Objects,
        index: Index,
        intake: Intake,
        site: str | None,
        told: Callable[[SlideKey, bool], None],
    ) -> None:
        self._objects = objects
        self._index = index
        self._intake = intake
        self._site = site
        self._told = told

    async def run(self) -> None:
        """Take in all results, then all chains, that the projection does not have."""
        results = await self._results()
        chains = await self._chains()
        _log.info("caught_up", results=results, chains=chains)

    async def _results(self) -> int:
        listed = await self._objects.sizes(keys.RESULTS if self._site is None else self._prefix())
        count = 0
        for (site, device), group in groupby(_taken_apart(listed), key=lambda one: one[:2]):
            for batch in _batches(group):
                missing = await self._missing(site, device, batch)
                count += len(missing)
                for slide in await self._intake.results(one.key for one in missing):
                    self._told(slide, False)
        return count

    async def _missing(self, site: str, device: str, batch: Sequence[_Stored]) -> list[_Stored]:
        def known() -> set[str]:
            query = sa.select(fields.c.capture_id).where(
                fields.c.site == site,
                fields.c.device == device,
                fields.c.capture_id.in_([one.capture_id for one in batch]),
            )
            with self._index.engine.connect() as connection:
                return set(connection.scalars(query))

        held = await self._intake.asked(known)
        return [one for one in batch if one.capture_id not in held]

    async def _chains(self) -> int:
        def lengths() -> dict[SlideKey, int]:
            query = sa.select(reviews.c.site, reviews.c.slide, reviews.c.number)
            with self._index.engine.connect() as connection:
                return {SlideKey(site, slide): n for site, slide, n in connection.execute(query)}

        stored = await reviewed(self._objects)
        held = await self._intake.asked(lengths)
        count = 0
        for key, number in sorted(stored.items()):
            if self._site in (None, key.site) and number > held.get(key, 0):
                chain = await self._intake.chain(key)
                if len(chain.entries) > held.get(key, 0):
                    count += 1
                    self._told(key, True)
            await asyncio.sleep(0)
        return count

    def _prefix(self) -> str:
        return f"{keys.RESULTS}{self._site}/"


def _taken_apart(listed: Iterable[str]) -> Iterator[_Stored]:
    for key in sorted(listed):
        parts = key.removesuffix(".json").split("/")
        if len(parts) == 4:
            yield _Stored(parts[1], parts[2], parts[3], key)


def _batches(stored: Iterable[_Stored]) -> Iterator[list[_Stored]]:
    rest = iter(stored)
    while batch := list(islice(rest, _BATCH)):
        yield batch
