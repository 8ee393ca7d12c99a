"""What a slide's chain says is signed, as far as its signatures bear it out."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import structlog

from cloud.reviews.entry import ROOT, Amend, Entry, EntryError, Sign, digest, read
from cloud.reviews.signing import Trusted, is_sound
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.messages import SlideResult
from wire.words import SIGNED_NOTICE

_KEPT: Final = 10_000
"""Entries that are remembered."""

_DOUBTS_KEPT: Final = 256
"""Slides of which it is remembered that their chain is not believed."""

_log = structlog.get_logger("cloud.slides")


class SlideName(NamedTuple):
    """Which slide."""

    site: str
    slide: str


class _Link(NamedTuple):
    """An entry as it lies in the bucket."""

    key: str
    entry: Entry | None
    """None: it cannot be read."""
    head: str
    """SHA-256 of its bytes."""
    wrong: str = ""
    """What is wrong with it by itself."""


class Signatures:
    """Reads chains, each entry once: it is never written again.

    Nothing is taken from a chain with an entry that no trusted key signed, or that lies elsewhere
    than where it was written. Whether each step was allowed, and the witnesses, are for the desk
    and `leukoscope-cloud verify`: this has not the cells at hand.

    Args:
        objects: the bucket.
        trusted: keys whose signatures count; without any, nothing is ever signed.
    """

    def __init__(self, objects: Objects, trusted: Trusted) -> None:
        self._objects = objects
        self._trusted = trusted
        self._links: dict[str, _Link] = {}
        self._doubts: dict[SlideName, str] = {}

    @property
    def doubt(self) -> str | None:
        """Why a slide, of those last asked for, is not said to be signed; None: no such slide."""
        return next(iter(self._doubts.values()), None)

    async def last(self, name: SlideName) -> SlideResult | None:
        """What the last signed report says; None while nobody has signed so that it counts."""
        listed = sorted(await self._objects.sizes(keys.reviews(*name)))
        links = [link for key in listed if (link := await self._link(key)) is not None]
        signed = [link.entry for link in links if _signs(link.entry)]
        wrong = _wrong(links)
        self._note(name, wrong if signed or any(link.entry is None for link in links) else None)
        if wrong is not None or not signed or signed[-1] is None:
            return None
        return _as_signed(signed[-1], "signed" if len(signed) == 1 else "amended")

    async def _link(self, key: str) -> _Link | None:
        if key not in self._links:
            data = await self._objects.get(key)
            if data is None:
                return None  # it was removed just now: the next one will lack it
            self._links[key] = self._read(key, data)
            while len(self._links) > _KEPT:
                del self._links[next(iter(self._links))]
        return self._links.get(key)

    def _read(self, key: str, data: bytes) -> _Link:
        head = digest(data)
        try:
            signed, entry = read(data)
        except EntryError as error:
            return _Link(key, None, head, str(error))
        own = keys.review(entry.site, entry.slide, entry.number)
        if own != key:
            return _Link(key, entry, head, f"is misplaced: it belongs at {own}")
        sound = is_sound(signed, self._trusted)
        if sound is None:
            return _Link(key, entry, head, "is signed by a key that is not among review_trusted")
        return _Link(key, entry, head, "" if sound else "is not what was signed")

    def _note(self, name: SlideName, wrong: tuple[str, str] | None) -> None:
        if wrong is None:
            self._doubts.pop(name, None)
            return
        key, detail = wrong
        doubt = f"slide {name.slide} is published as preliminary: {key} {detail}"
        if self._doubts.get(name) != doubt:
            _log.error("review_not_counted", key=key, detail=detail)
        self._doubts[name] = doubt
        while len(self._doubts) > _DOUBTS_KEPT:
            del self._doubts[next(iter(self._doubts))]


def _wrong(links: Sequence[_Link]) -> tuple[str, str] | None:
    """The first key of a chain that is not as its writer left it, and what is wrong there."""
    before = ROOT
    for number, link in enumerate(links, 1):
        if link.wrong or link.entry is None:
            return link.key, link.wrong
        if (link.entry.number, link.entry.before) != (number, before):
            return link.key, "was not written behind the entry that is before it"
        before = link.head
    return None


def _signs(entry: Entry | None) -> bool:
    return entry is not None and isinstance(entry.action, Sign | Amend)


def _as_signed(entry: Entry, state: Literal["signed", "amended"]) -> SlideResult:
    """The slide as somebody answers for it; what has come since is in no report yet."""
    assert isinstance(entry.action, Sign | Amend)  # noqa: S101  # for the type checker: looked at above
    report = entry.action.report
    return SlideResult(
        notice=SIGNED_NOTICE,
        state=state,
        site=entry.site,
        slide=entry.slide,
        fields=len(entry.basis.fields),
        cells=sum(report.reader.values()),
        counts=report.reader,
        blasts_per_100=report.blasts_per_100,
        blasts_interval=report.blasts_interval,
        updated_at=entry.at,
    )
