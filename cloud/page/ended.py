"""What a page is told of acts that it no longer waited for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cloud.page.waiting import Outcome, Waiting, Whose, it_waits
from cloud.reviews.rules import ReviewRefused

Fate: TypeAlias = Literal["", "waits", "written", "refused"]
"""Of the act that a page was promised; empty: it was promised none."""


@dataclass(frozen=True, slots=True)
class Told:
    """To one page."""

    said: str
    refused: ReviewRefused | None
    fate: Fate = ""


def how_it_ended(waiting: Waiting, whose: Whose, promised: str) -> Told:
    """Of the act that this page was promised, and of all that the reader was not told yet.

    Args:
        waiting: knows.
        whose: acts.
        promised: id of the promise that the page remembers; empty: none.
    """
    if promised and waiting.keeps(whose, promised):
        return Told("", it_waits(), "waits")
    mine = [waiting.kept(whose, promised) or _nobody_knows()] if promised else []
    told = _told([*mine, *_untold(waiting, whose)])
    if not mine:
        return told
    return Told(told.said, told.refused, "refused" if mine[0].refused else "written")


def _told(ended: Sequence[Outcome]) -> Told:
    refused = [one.refused for one in ended if one.refused is not None]
    said = "The store is back: your change is written." if len(refused) < len(ended) else ""
    return Told(said, _together(refused))


def _untold(waiting: Waiting, whose: Whose) -> Iterator[Outcome]:
    while (ended := waiting.outcome(whose)) is not None:
        yield ended


def _nobody_knows() -> Outcome:
    """The room was stopped meanwhile, or has forgotten it under a thousand others."""
    return Outcome(
        ReviewRefused(
            "room-stopped",
            "The reading room was stopped while your last change waited for the store: look "
            "whether the change is there, and do it again if it is not.",
        )
    )


def _together(refused: Sequence[ReviewRefused]) -> ReviewRefused | None:
    """The page has place for one: the first one's code, and the words of all."""
    if not refused:
        return None
    words = dict.fromkeys(str(one) for one in refused)
    return ReviewRefused(refused[0].reason, " ".join(words))
