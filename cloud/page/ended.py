"""What a page is told of acts that it no longer waited for."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cloud.page.waiting import Outcome, Waiting, Whose
from cloud.reviews.rules import ReviewRefused


@dataclass(frozen=True, slots=True)
class Told:
    """To one page."""

    said: str
    refused: ReviewRefused | None


def how_it_ended(waiting: Waiting, whose: Whose) -> Told:
    """Of all that the reader was not told yet."""
    ended = list(_untold(waiting, whose))
    refused = [one.refused for one in ended if one.refused is not None]
    said = "The store is back: your change is written." if len(refused) < len(ended) else ""
    return Told(said, _together(refused))


def _untold(waiting: Waiting, whose: Whose) -> Iterator[Outcome]:
    while (ended := waiting.outcome(whose)) is not None:
        yield ended


def _together(refused: Sequence[ReviewRefused]) -> ReviewRefused | None:
    """The page has place for one: the first one's code, and the words of all."""
    if not refused:
        return None
    words = dict.fromkeys(str(one) for one in refused)
    return ReviewRefused(refused[0].reason, " ".join(words))
