"""Slides at every stage of their reading, with real fields of the simulator."""

import hashlib
from dataclasses import replace
from itertools import cycle, islice

import msgspec
from pictured_slide import read_field
from slide_results import capture_id

from cloud.index.case import put_case
from cloud.page.room import Room
from cloud.reading import Reading, for_people
from cloud.reviews.entry import Comment, Reclassify, See
from cloud.stores import keys
from cloud.worker.outcome import store_reading
from wire.codec import encode

STAGES = ("open", "review", "clear", "signed", "later", "amended")
SLIDES = {stage: "s" + hashlib.sha256(stage.encode()).hexdigest()[:20] for stage in STAGES}
"""Tokens by stage. open: nobody has looked, blasts flagged, some cells unidentified; review: ada
has begun; clear: nothing flagged or unidentified, to be signed at once; signed: by grace; later:
signed, and a field has come since; amended: signed by grace, amended by ada."""

_MACHINE = {
    "clear": ("Normal",),
    "signed": ("Normal", "ALL", "Normal", "Normal"),
    "later": ("Normal", "Normal", "AML"),
}
_SUSPECT = ("ALL", "Normal", "ALL", "unidentified", "Normal", "AML", "ALL")
"""What the machine called the cells, over and over; known, so that tests can count."""

FIELDS = 3
"""Fields of a slide: simulated once, and put into each of them."""


def pictured(number: int, stage: str, place: int) -> Reading:
    """A field of a slide: the simulator's picture and its cells, called as the stage wants."""
    made = read_field(place)
    capture = capture_id(number)
    old = made.result
    called = list(islice(cycle(_MACHINE.get(stage, _SUSPECT)), len(old.cells)))
    cells = [
        msgspec.structs.replace(cell, label=label, probability=0.55 + 0.4 * (n % 5) / 5)
        for n, (cell, label) in enumerate(zip(old.cells, called, strict=True))
    ]
    result = msgspec.structs.replace(
        old,
        capture_id=capture,
        slide=SLIDES[stage],
        cells=cells,
        counts={name: called.count(name) for name in old.counts},
        image_key=keys.frame(old.site, old.device, capture, old.image_sha256),
    )
    published = encode(result)
    return replace(made, result=result, published=published, stored=for_people(published))


async def put_stages(room: Room) -> None:
    """All of `SLIDES`, into bucket and projection."""
    for number, stage in enumerate(STAGES):
        for place in range(FIELDS):
            await _put(room, pictured(100 * number + place, stage, place))
        await _read(room, stage)


async def _put(room: Room, made: Reading) -> None:
    await store_reading(made, room.objects)
    room.index.put([made.result])


async def _read(room: Room, stage: str) -> None:
    slide = ("home", SLIDES[stage])
    if stage == "review":
        case = await room.desk.load(*slide)
        first = next(cell for cell, label in case.slide.machine.items() if label == "ALL")
        await room.desk.act(*slide, "ada", See([first]), last_seen=0)
        await room.desk.act(*slide, "ada", Comment("Look at the nucleoli."), last_seen=1)
    if stage in ("signed", "later", "amended"):
        await _sign(room, slide)
    if stage == "later":
        await _put(room, pictured(999, stage, 0))
    if stage == "amended":
        case = await room.desk.load(*slide)
        changed = Reclassify([next(iter(case.slide.machine))], "AML")
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.amend(*slide, "ada", "Seen again at higher power.", [changed], **seen)
    put_case(room.index, await room.desk.load(*slide))


async def _sign(room: Room, slide: tuple[str, str]) -> None:
    """All flagged cells seen, the unidentified ones waived."""
    case = await room.desk.load(*slide)
    if unseen := case.slide.unseen(case.review):
        case = await room.desk.act(*slide, "grace", See(unseen), last_seen=case.review.number)
    if case.slide.unidentified(case.review):
        seen = {"shown": case.shown, "last_seen": case.review.number}
        case = await room.desk.waive(*slide, "grace", "Smudged.", **seen)
    seen = {"shown": case.shown, "last_seen": case.review.number}
    await room.desk.sign(*slide, "grace", **seen)
