"""What a reader may do, and when."""

from collections.abc import Iterable, Sequence

from cloud.reviews.entry import (
    Action,
    Amend,
    CellName,
    Comment,
    Entry,
    Propose,
    Reclassify,
    See,
    Waive,
)
from cloud.reviews.replay import Review, Slide


class ReviewRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """An action that is not done, with a code and a sentence for the reader."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class OvertakenError(ReviewRefused):
    """Something that bears on this has come first: look, and do it again."""

    def __init__(self, what: str, newer: Sequence[Entry] = ()) -> None:
        super().__init__("overtaken", f"{what}: look at it, then go on.")
        self.newer = list(newer)

    @classmethod
    def by(cls, newer: Sequence[Entry]) -> "OvertakenError":
        """Somebody else was first."""
        who = ", ".join(sorted({entry.reader for entry in newer}))
        return cls(f"{who} has changed this meanwhile", newer)


def check(action: Action, review: Review, slide: Slide, reader: str) -> None:
    """Refuse what may not be done.

    Args:
        action: what somebody is about to do, or did.
        review: where the slide stands before it.
        slide: the fields that the action is about.
        reader: who.

    Raises:
        ReviewRefused: `slide-unknown`, `cell-unknown`, `already-signed`, `not-signed`,
            `reason-missing`, `text-missing`, `cells-unseen`, `unidentified-left` or
            `second-reader`.
    """
    if not slide.results:
        raise ReviewRefused("slide-unknown", "No result of this slide is stored: check its token.")
    _check_cells(_cells(action), slide)
    if isinstance(action, Amend):
        _check_amendment(action, review, slide)
        return
    if review.reports:
        raise ReviewRefused(
            "already-signed",
            "This slide is signed: only an amendment, with a reason, can change it.",
        )
    match action:
        case Waive(reason) if not reason.strip():
            raise ReviewRefused("reason-missing", "Say why the unidentified cells may stay so.")
        case Comment(text) if not text.strip():
            raise ReviewRefused("text-missing", "The comment is empty.")
        case See() | Reclassify() | Comment() | Waive():
            return
    check_complete(review, slide)
    _check_readers(action, review, slide, reader)


def check_complete(review: Review, slide: Slide) -> None:
    """Refuse to sign what was not looked through.

    Raises:
        ReviewRefused: `cells-unseen` or `unidentified-left`.
    """
    if unseen := len(slide.unseen(review)):
        raise ReviewRefused(
            "cells-unseen",
            f"{_cells_are(unseen)} suspected as blasts and not yet seen: look at each of them.",
        )
    if left := len(slide.unidentified(review)):
        raise ReviewRefused(
            "unidentified-left",
            f"{_cells_are(left)} unidentified: name them, or waive them with a reason.",
        )


def _check_readers(action: Action, review: Review, slide: Slide, reader: str) -> None:
    """A proposal that stands is for another reader to sign, whatever the site asks for by now."""
    waits = slide.proposal(review)
    if waits is None:
        return
    if waits.reader == reader:
        raise ReviewRefused(
            "second-reader",
            "You have signed this report as the first of two readers: another one has to sign it.",
        )
    if isinstance(action, Propose):
        raise ReviewRefused(
            "second-reader",
            f"{waits.reader} has signed this report as the first of two readers: sign it, too, or "
            "change it.",
        )


def _check_amendment(amend: Amend, review: Review, slide: Slide) -> None:
    if not review.reports:
        raise ReviewRefused("not-signed", "This slide is not signed: change it without amending.")
    if not amend.reason.strip():
        raise ReviewRefused("reason-missing", "Say why the signed report is amended.")
    after = review.copy()
    after.change(amend, slide.results)
    check_complete(after, slide)


def _check_cells(cells: Iterable[CellName], slide: Slide) -> None:
    for cell in cells:
        if cell not in slide.machine:
            raise ReviewRefused("cell-unknown", f"This slide has no cell {cell!r}: reload it.")


def _cells(action: Action) -> list[CellName]:
    match action:
        case See(cells) | Reclassify(cells) | Comment(_, cells):
            return cells
        case Amend():
            return [*action.seen, *(cell for change in action.changes for cell in change.cells)]
    return []


def _cells_are(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count} cells are"
