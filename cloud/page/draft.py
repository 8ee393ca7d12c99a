"""An amendment that a reader is at: held by the browser until it is sent as one entry."""

from collections.abc import Iterator, Mapping
from typing import Final, get_args

import msgspec
from msgspec import Struct

from cloud.reviews.desk import Case
from cloud.reviews.entry import (
    Amend,
    CellName,
    Cells,
    ReaderLabel,
    Reclassify,
    Text,
    drawn_digest,
)
from cloud.reviews.replay import Review
from cloud.reviews.rules import ReviewRefused

MOST_STEPS: Final = 5_000


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """One step of the draft."""

    cells: Cells
    label: ReaderLabel


class Draft(Struct, frozen=True, forbid_unknown_fields=True):
    """All that the reader has done since they began to amend."""

    changes: list[Change] = []
    """In the order in which they were made."""
    seen: list[CellName] = []
    waive: Text = ""

    def tidy(self, case: Case) -> list[Reclassify]:
        """One change for each label: a cell's last label, and none for one that is as signed."""
        last: dict[CellName, ReaderLabel] = {
            cell: change.label for change in self.changes for cell in change.cells
        }
        return [
            Reclassify(cells, label)
            for label in get_args(ReaderLabel)
            if (cells := list(_called(label, last, case)))
        ]

    def after(self, case: Case) -> Review:
        """Where the slide would stand."""
        review = case.review.copy()
        review.change(self._amend(case, review), case.slide.results)
        return review

    def drawn(self, case: Case) -> str:
        """Digest of what would be signed; see `Desk.amend`."""
        return drawn_digest(self._amend(case, self.after(case)))

    def _amend(self, case: Case, review: Review) -> Amend:
        return Amend("", self.tidy(case), self.seen, self.waive, case.slide.report(review))


def read_draft(asked: str) -> Draft:
    """Read what the browser holds.

    Raises:
        ReviewRefused: `draft-invalid`: this program did not write it.
    """
    try:
        draft = msgspec.json.decode(asked, type=Draft)
    except msgspec.MsgspecError as error:
        raise _invalid() from error
    if len(draft.changes) > MOST_STEPS:
        raise _invalid()
    return draft


def _invalid() -> ReviewRefused:
    return ReviewRefused(
        "draft-invalid",
        "This browser's draft of the amendment cannot be read: discard it and begin anew.",
    )


def _called(
    label: ReaderLabel, last: Mapping[CellName, ReaderLabel], case: Case
) -> Iterator[CellName]:
    for cell, now in last.items():
        signed = case.review.labels.get(cell, case.slide.machine.get(cell))
        if now == label and now != signed:
            yield cell
