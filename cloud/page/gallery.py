"""The cells of a slide in their bins, the least certain first. Pure."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

from cloud.pictures.address import cell_address
from cloud.reviews.desk import Case
from cloud.reviews.entry import CellName, FieldName, ReaderLabel, cell_names, field_of
from cloud.reviews.replay import Review
from cloud.slides.tally import BLASTS
from wire.messages import CellResult
from wire.words import Label

PAGE: Final = 200
"""Cells of a bin that are shown at first, and that every "show more" adds."""

MOST: Final = 20_000
"""Of a bin that are ever shown at once."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    name: CellName
    suggested: Label
    """By the machine."""
    label: ReaderLabel
    """By the reader, else the machine's."""
    probability: float
    seen: bool
    waived: bool
    """Unidentified, and may stay so."""
    later: bool
    """Its field came after the signature: it is in no report."""
    remarks: int
    picture: str
    """Address of its picture, which never changes under it: a browser may keep it."""

    @property
    def flagged(self) -> bool:
        """Suspected as a blast by the machine: has to be seen before anybody signs."""
        return self.suggested in BLASTS

    @property
    def unseen(self) -> bool:
        """Flagged, and nobody has looked."""
        return self.flagged and not self.seen

    @property
    def field(self) -> FieldName:
        """Its field."""
        return field_of(self.name)

    @property
    def place(self) -> str:
        """Its place in the field's list of cells."""
        return self.name.rpartition("/")[2]

    @property
    def id(self) -> str:
        """Of its element on the page."""
        return f"c-{self.name.replace('/', '.')}"


@dataclass(frozen=True, slots=True)
class Bin:
    """The cells that are called so."""

    label: ReaderLabel
    total: int
    start: int
    """How many cells stand before the first of `cells`."""
    cells: tuple[Cell, ...]
    unseen: int
    """Flagged cells in the whole bin at which nobody has looked."""
    left: int
    """Cells in the whole bin that are to be named or waived before anybody signs."""

    @property
    def end(self) -> int:
        """How many cells the page has, with these."""
        return self.start + len(self.cells)

    @property
    def more(self) -> int:
        """How many cells "show more" would add."""
        return min(PAGE, self.total - self.end)

    @property
    def digest(self) -> str:
        """Of all that is shown of it: two bins of one digest look the same."""
        whole = repr((self.label, self.total, self.unseen, self.left, self.cells))
        return hashlib.sha256(whole.encode()).hexdigest()[:16]

    @property
    def unseen_behind(self) -> int:
        """Unseen ones that "show more" would bring, sooner or later."""
        return self.unseen - sum(cell.unseen for cell in self.cells)


def bins(case: Case, review: Review, shown: Mapping[str, int]) -> tuple[Bin, ...]:
    """Every bin from its first cell on.

    Args:
        case: the slide.
        review: where it stands, or would with a draft.
        shown: how many cells the page shows of a bin, by label; at least `PAGE`.
    """
    gallery = _Gallery(case, review)
    return tuple(
        gallery.bin(label, 0, min(max(shown.get(label, PAGE), PAGE), MOST))
        for label in get_args(ReaderLabel)
    )


def more_of(case: Case, review: Review, label: ReaderLabel, start: int) -> Bin:
    """The next cells of one bin."""
    return _Gallery(case, review).bin(label, start, PAGE)


class _Gallery:
    def __init__(self, case: Case, review: Review) -> None:
        self._review = review
        self._results = case.slide.results
        self._later = later_fields(case)
        self._remarks = Counter(
            cell for *_, comment in review.comments for cell in set(comment.cells)
        )
        self._bins: dict[str, list[tuple[float, CellName, CellResult]]] = {
            label: [] for label in get_args(ReaderLabel)
        }
        for name, cell in _cells(case):
            label = review.labels.get(name, cell.label)
            self._bins[label].append((cell.probability, name, cell))

    def bin(self, label: ReaderLabel, start: int, size: int) -> Bin:
        found = sorted(self._bins[label], key=lambda cell: cell[:2])
        return Bin(
            label=label,
            total=len(found),
            start=start,
            cells=tuple(self._cell(name, cell) for _, name, cell in found[start : start + size]),
            unseen=sum(
                cell.label in BLASTS and name not in self._review.seen for _, name, cell in found
            ),
            left=sum(
                label == "unidentified" and field_of(name) not in self._review.waived
                for _, name, _ in found
            ),
        )

    def _cell(self, name: CellName, cell: CellResult) -> Cell:
        label = self._review.labels.get(name, cell.label)
        field = field_of(name)
        return Cell(
            name=name,
            suggested=cell.label,
            label=label,
            probability=cell.probability,
            seen=name in self._review.seen,
            waived=label == "unidentified" and field in self._review.waived,
            later=field in self._later,
            remarks=self._remarks[name],
            picture=cell_address(self._results[field], int(name.rpartition("/")[2])),
        )


def later_fields(case: Case) -> frozenset[FieldName]:
    """Fields that are in no signed report though the slide has one."""
    if not case.review.reports:
        return frozenset()
    last = case.entries[case.review.reports[-1].number - 1]
    return frozenset(case.slide.results) - frozenset(last.basis.fields)


def _cells(case: Case) -> Iterator[tuple[CellName, CellResult]]:
    for result in case.slide.results.values():
        yield from zip(cell_names(result), result.cells, strict=True)


def shown_of(asked: str) -> dict[str, int]:
    """How many cells the page shows of each bin: `ALL:400 AML:200`; what is no such word is left.

    It only says how much is drawn, so nothing is refused for it.
    """
    found = {}
    for word in asked.split():
        label, _, count = word.partition(":")
        if label in get_args(ReaderLabel) and count.isdecimal() and len(count) < 7:
            found[label] = int(count)
    return found


def named(cells: str) -> Sequence[CellName]:
    """Cells as a form sends them: names with blanks between, each once, in order."""
    return list(dict.fromkeys(cells.split()))
