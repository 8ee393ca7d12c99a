"""What the page of a field shows, put together from a case. Pure: the same case, the same page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from cloud.page.draft import Draft
from cloud.page.gallery import later_fields
from cloud.pictures.address import cell_address, field_address, map_address
from cloud.reports.facts import FieldFacts
from cloud.reports.gather import field_facts
from cloud.reviews.desk import Case
from cloud.reviews.entry import CellName, FieldName, ReaderLabel, cell_names
from cloud.reviews.replay import Review
from cloud.reviews.steps import steps
from cloud.slides.tally import BLASTS
from imaging.box import Box
from imaging.crop import square_of
from wire.messages import FrameResult, ModelRef
from wire.words import Label


@dataclass(frozen=True, slots=True)
class Said:
    """A remark on a cell."""

    reader: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldCell:
    """One cell of a field."""

    n: int
    """Its place in the result, from 0."""
    name: CellName
    box: Box
    """In pixels of the picture, as `square`."""
    square: Box
    """What the model saw of it; may pass the picture's edges."""
    mirrored: bool
    """It does, and what lies beyond them is mirrored."""
    suggested: Label
    """By the machine."""
    label: ReaderLabel
    """By the reader, else the machine's."""
    chances: tuple[tuple[str, float], ...]
    """Each class and its probability, 0 to 1, as the model gave them."""
    seen: bool
    waived: bool
    said: tuple[Said, ...]
    picture: str
    """Address of its picture."""
    map: str
    """Address of its class-activation map."""

    @property
    def likely(self) -> str:
        """The class of the map: the likeliest, also where the cell is unidentified."""
        return max(self.chances, key=lambda chance: chance[1], default=("", 0.0))[0]

    @property
    def flagged(self) -> bool:
        """Suspected as a blast by the machine: has to be seen before anybody signs."""
        return self.suggested in BLASTS

    @property
    def in_gallery(self) -> str:
        """Id of its element in the gallery."""
        return f"c-{self.name.replace('/', '.')}"


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field before a reader."""

    facts: FieldFacts
    site: str
    slide: str
    model: ModelRef
    picture: str
    """Address of the JPEG."""
    cells: tuple[FieldCell, ...]
    at: int
    """Which of the slide's fields it is, from 1."""
    fields: int
    before: FieldName | None
    after: FieldName | None
    later: bool
    """It came after the signature: it is in no report."""
    mode: Literal["review", "signed", "amend"]
    state: Literal["open", "in review", "signed", "amended"]
    undo: int
    """Number of the entry that the reader's next undo takes back; 0: none."""
    number: int
    """Of the last entry that is shown."""
    shown: str
    """`Case.shown`."""


def field_view(
    case: Case, name: FieldName, me: str, draft: Draft | None = None
) -> FieldView | None:
    """Put together what a reader sees of a field.

    Args:
        case: the slide.
        name: of the field.
        me: the reader.
        draft: of an amendment; of no use while the slide is not signed.

    Returns:
        None where the slide has no field of that name.
    """
    result = case.slide.results.get(name)
    if result is None:
        return None
    order = list(case.slide.results)
    last = steps(case.entries, me, case.slide.machine)
    at = order.index(name)
    signed = bool(case.review.reports)
    draft = draft if signed else None
    review = case.review if draft is None else draft.after(case)
    return FieldView(
        facts=field_facts(name, result),
        site=result.site,
        slide=result.slide,
        model=result.model,
        picture=field_address(result),
        cells=tuple(_cells(review, name, result)),
        at=at + 1,
        fields=len(order),
        before=order[at - 1] if at else None,
        after=order[at + 1] if at + 1 < len(order) else None,
        later=name in later_fields(case),
        mode="amend" if draft else "signed" if signed else "review",
        state=case.review.state,
        undo=last[0].number if last else 0,
        number=case.review.number,
        shown=case.shown,
    )


def _cells(review: Review, field: FieldName, result: FrameResult) -> Iterator[FieldCell]:
    waived = field in review.waived
    for n, (name, cell) in enumerate(zip(cell_names(result), result.cells, strict=True)):
        box = Box(*msgspec.structs.astuple(cell.box))
        square = square_of(box)
        label = review.labels.get(name, cell.label)
        yield FieldCell(
            n=n,
            name=name,
            box=box,
            square=square,
            mirrored=not _within(square, result),
            suggested=cell.label,
            label=label,
            chances=tuple(cell.probabilities.items()),
            seen=name in review.seen,
            waived=label == "unidentified" and waived,
            said=tuple(_said(review, name)),
            picture=cell_address(result, n),
            map=map_address(result, n),
        )


def _said(review: Review, cell: CellName) -> Iterator[Said]:
    for reader, _, comment in review.comments:
        if cell in comment.cells:
            yield Said(reader, comment.text)


def _within(square: Box, result: FrameResult) -> bool:
    inside = square.x >= 0 and square.y >= 0
    return inside and square.x + square.w <= result.width and square.y + square.h <= result.height
