"""The reader's desk: loads a slide's chain, and adds to it so that no edit is lost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeAlias

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.reviews.entry import (
    Action,
    Amend,
    CellName,
    Comment,
    Entry,
    EntryError,
    Propose,
    Reclassify,
    See,
    Sign,
    Waive,
    basis,
    digest,
    drawn_digest,
    field_of,
    read,
)
from cloud.reviews.replay import Proposed, Review, Slide
from cloud.reviews.rules import OvertakenError, ReviewRefused, check
from cloud.reviews.signing import Trusted, fingerprint, sign
from cloud.reviews.verify import Chain, Examined, Finding, examine
from cloud.slides.results import read_results
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.stores.objects import Objects
from cloud.stores.remembered import Reads, Remembered
from wire import topics
from wire.codec import encode
from wire.messages import FrameResult, SlideReview
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE

Tell: TypeAlias = Callable[[str, bytes], None]
"""Publishes a payload on a topic."""

Due: TypeAlias = Callable[[str, str, int], Awaitable[None]]
"""Notes that an entry (site, slide, number) is about to sign; before it does, so that no crash
leaves a report behind. An entry of that number may sign nothing after all."""

Ask: TypeAlias = Callable[[str, Action], Awaitable[None]]
"""Raises ReviewRefused where this reader may not do that any more."""

_log = structlog.get_logger("cloud.reviews")


@dataclass(frozen=True, slots=True)
class Case:
    """A slide with its chain."""

    slide: Slide
    review: Review
    entries: list[Entry]

    @property
    def shown(self) -> str:
        """SHA-256 over all fields and their images: what a reader has who is shown this slide."""
        return basis(self.slide.results.values()).images

    @property
    def proposal(self) -> Proposed | None:
        """What one reader answers for, and waits for a second one."""
        return self.slide.proposal(self.review)


class Desk:
    """Readers' actions on slides.

    Args:
        objects: the bucket; waits while the store is away.
        key: signs for the readers; its own signatures are always trusted.
        trusted: further keys.
        sums: publishes `slides/{slide}` anew after a signature.
        tell: publishes on `reviews/{slide}`.
        second_reader: two readers have to answer for a report before it is signed.
        due: told of a signature before it is written.
        still_allowed: asked directly before anything is written, since the store may have been away
            for hours after the reader pressed; None: whoever may call may write.
    """

    def __init__(
        self,
        objects: Objects,
        key: Ed25519PrivateKey,
        trusted: Trusted,
        sums: SlideSums,
        tell: Tell,
        *,
        second_reader: bool = False,
        due: Due | None = None,
        still_allowed: Ask | None = None,
    ) -> None:
        self._objects = objects
        self._remembered = Remembered(objects)
        self._key = key
        self._trusted = {**trusted, fingerprint(key.public_key()): key.public_key()}
        self._sums = sums
        self._tell = tell
        self._second_reader = second_reader
        self._due = due
        self._still_allowed = still_allowed

    async def load(self, site: str, slide: str) -> Case:
        """Read a slide and its chain.

        Raises:
            ReviewRefused: `chain-broken`: nothing is built on a chain that is not sound.
        """
        # In this order: no entry is about a field that comes after it.
        chain = await read_chain(self._remembered, site, slide)
        results = await read_results(self._remembered, site, slide)
        examined = examine(chain, results, self._trusted)
        if wrong := [finding for finding in examined.findings if not _passing(finding, examined)]:
            _log.error("chain_broken", site=site, slide=slide, findings=len(wrong))
            raise ReviewRefused(
                "chain-broken",
                f"The reviews of this slide are not as they were written (entry {wrong[0].number}: "
                f"{wrong[0].kind}): run leukoscope-cloud verify {slide}, and tell the lead.",
            )
        return Case(Slide.of(results), examined.review, examined.entries)

    async def act(
        self,
        site: str,
        slide: str,
        reader: str,
        action: See | Reclassify | Comment,
        *,
        last_seen: int,
    ) -> Case:
        """See, reclassify or comment.

        Args:
            site: of the slide.
            slide: its token.
            reader: who does it.
            action: what; waiving, signing and amending have ways of their own.
            last_seen: number of the last entry that the reader had on the screen.

        Raises:
            OvertakenError: an entry behind `last_seen` is about the same cells.
            ReviewRefused: see `check`; `chain-broken`; `entry-invalid`: what the chain could not
                be read with again, such as a remark of more than 2000 characters.
        """
        return await self._append(site, slide, reader, lambda _: action, last_seen)

    async def waive(
        self, site: str, slide: str, reader: str, reason: str, *, shown: str, last_seen: int
    ) -> Case:
        """Let the unidentified cells stay so.

        Args:
            site: of the slide.
            slide: its token.
            reader: who does it.
            reason: why.
            shown: `Case.shown` of what the reader had on the screen.
            last_seen: as of `act`.

        Raises:
            OvertakenError: other fields are stored now than the reader had.
            ReviewRefused: as of `act`.
        """
        return await self._append(site, slide, reader, lambda _: Waive(reason), last_seen, shown)

    async def sign(self, site: str, slide: str, reader: str, *, shown: str, last_seen: int) -> Case:
        """Sign the report as it stands; refused as `waive` does, and when any entry is newer.

        Where the site asks for a second reader, the first one's signature is a proposal
        (`Case.proposal`); another reader's, of the same report, signs it. Any change between the
        two ends the proposal.

        Raises:
            ReviewRefused: also `second-reader`: who proposed a report does not confirm it.
        """

        def made(case: Case) -> Propose | Sign:
            report = case.slide.report(case.review)
            first = self._second_reader and case.proposal is None
            return Propose(report) if first else Sign(report)

        return await self._append(site, slide, reader, made, last_seen, shown)

    async def amend(
        self,
        site: str,
        slide: str,
        reader: str,
        reason: str,
        changes: Sequence[Reclassify] = (),
        seen: Sequence[CellName] = (),
        waive: str = "",
        *,
        shown: str,
        last_seen: int,
        drawn: str | None = None,
    ) -> Case:
        """Change a signed report, with a reason; refused as `sign` does.

        Args:
            site: of the slide.
            slide: its token.
            reader: who does it.
            reason: why.
            changes: of labels.
            seen: cells at which the reader has looked.
            waive: why unidentified cells may stay so.
            shown: as of `waive`.
            last_seen: as of `act`.
            drawn: `drawn_digest` of what the reader had on the screen; None: whoever calls knows.

        Raises:
            OvertakenError: also where this is another amendment than the reader had.
        """

        def made(case: Case) -> Amend:
            draft = Amend(reason, list(changes), list(seen), waive, case.slide.report(case.review))
            after = case.review.copy()
            after.change(draft, case.slide.results)
            amend = Amend(reason, draft.changes, draft.seen, waive, case.slide.report(after))
            # With newer entries it is another one anyhow, and refused for them.
            if not case.entries[last_seen:] and drawn not in (None, drawn_digest(amend)):
                raise OvertakenError("The page did not show this amendment as it is; it does now")
            return amend

        return await self._append(site, slide, reader, made, last_seen, shown)

    async def _append(
        self,
        site: str,
        slide: str,
        reader: str,
        make: Callable[[Case], Action],
        last_seen: int,
        shown: str | None = None,
    ) -> Case:
        while True:
            case = await self.load(site, slide)
            action = make(case)
            if newer := _bearing(action, case.entries[last_seen:]):
                raise OvertakenError.by(newer)
            if shown not in (None, case.shown):
                now = len(case.slide.results)
                raise OvertakenError(f"This slide has other fields than you saw, {now} by now")
            check(action, case.review, case.slide, reader)
            entry = self._entry(site, slide, reader, action, case)
            data = self._bytes(entry)
            if isinstance(action, Sign | Amend):
                async with self._sums.expecting(site, slide):
                    if self._due is not None:
                        await self._due(site, slide, entry.number)
                    won = await self._create(entry, case, data)
            else:
                won = await self._create(entry, case, data)
            if won:
                break  # else somebody else's entry has this place: on top of that one
        case.review.take(entry, digest(data))
        case.entries.append(entry)
        if isinstance(action, Sign | Amend):
            self._tell(topics.reviews(site, slide), encode(_notice(entry, case.review)))
        return case

    def _entry(self, site: str, slide: str, reader: str, action: Action, case: Case) -> Entry:
        return Entry(
            site=site,
            slide=slide,
            number=case.review.number + 1,
            before=case.review.head,
            notice=SIGNED_NOTICE if isinstance(action, Sign | Amend) else RESEARCH_USE_ONLY,
            reader=reader,
            at=datetime.now(UTC),
            basis=basis(_concerned(action, case.slide)),
            action=action,
        )

    def _bytes(self, entry: Entry) -> bytes:
        """Sign, and read it as every later load will: what is in the chain is there for ever."""
        try:
            data = sign(entry, self._key)
            read(data)
        except (EntryError, UnicodeEncodeError) as error:
            raise ReviewRefused(
                "entry-invalid",
                f"This cannot be kept, and nothing was written: the entry {error}. Shorten or "
                "mend what is named there, and do it again.",
            ) from error
        return data

    async def _create(self, entry: Entry, case: Case, data: bytes) -> bool:
        """Take the place in the chain; False where another entry has it."""
        name = (entry.site, entry.slide)
        if case.review.number:  # its writer may have been cut off before its witness
            witness = keys.witness(*name, case.review.number)
            await self._objects.create(witness, case.review.head.encode())
        key = keys.review(*name, entry.number)
        if not await self._written(key, data, entry):
            return False
        await self._objects.create(keys.witness(*name, entry.number), digest(data).encode())
        return True

    async def _written(self, key: str, data: bytes, entry: Entry) -> bool:
        """Write an entry, unless its reader may not any more, or its place is taken."""
        ask = self._still_allowed and partial(self._still_allowed, entry.reader, entry.action)
        try:
            return await self._objects.create(key, data, ask) or await self._is_there(key, data)
        except ReviewRefused:
            if await self._is_there(key, data):  # by an earlier try, whose answer was lost
                return True
            raise

    async def _is_there(self, key: str, data: bytes) -> bool:
        return await self._objects.get(key) == data


async def read_chain(objects: Reads, site: str, slide: str) -> Chain:
    """Read all that lies in the bucket of a slide's chain."""

    async def under(prefix: str) -> dict[int, bytes]:
        found = {}
        for key in await objects.sizes(prefix):
            number = key.removeprefix(prefix).removesuffix(".json")
            data = await objects.get(key)
            if number.isdecimal() and data is not None:
                found[int(number)] = data
        return found

    # Witnesses first: an entry that is written in between only lacks one.
    witnesses = await under(keys.witnesses(site, slide))
    return Chain(site, slide, await under(keys.reviews(site, slide)), witnesses)


def _passing(finding: Finding, examined: Examined) -> bool:
    """The last entry's witness may be on its way; the next entry brings it if its writer died."""
    return finding.kind == "witness-missing" and finding.number == examined.review.number


def _bearing(action: Action, newer: Sequence[Entry]) -> list[Entry]:
    """Those of the newer entries that the reader has to know of first."""
    if isinstance(action, Propose | Sign | Amend):
        return list(newer)
    return [entry for entry in newer if _bears(action, entry.action)]


def _bears(action: Action, newer: Action) -> bool:
    match newer:
        case Reclassify(cells):
            mine = action.cells if isinstance(action, See | Reclassify) else []
            return not set(cells).isdisjoint(mine)
        case Propose():  # what changes the report ends the proposal: not unknowingly
            return isinstance(action, Reclassify | Waive)
    return False


def _concerned(action: Action, slide: Slide) -> list[FrameResult]:
    cells = action.cells if isinstance(action, See | Reclassify | Comment) else []
    if not cells:
        return list(slide.results.values())
    return [slide.results[name] for name in {field_of(cell) for cell in cells}]


def _notice(entry: Entry, review: Review) -> SlideReview:
    last = review.reports[-1]
    return SlideReview(
        site=entry.site,
        slide=entry.slide,
        state="signed" if len(review.reports) == 1 else "amended",
        number=entry.number,
        entry_sha256=review.head,
        reader=entry.reader,
        reason=last.reason,
        at=entry.at,
        fields=len(entry.basis.fields),
        counts=last.report.reader,
        excluded=last.report.excluded,
        machine_counts=last.report.machine,
        blasts_per_100=last.report.blasts_per_100,
        blasts_interval=last.report.blasts_interval,
        models=entry.basis.models,
    )
