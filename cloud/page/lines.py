"""The worklist as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cloud.index.index import Index, SlideKey
from cloud.index.worklist import Place, Slide, Totals, page, totals
from cloud.live.presence import Presence
from cloud.page.asked import PAGE_SIZE, Asked

URGENCIES: Final[Mapping[int, str]] = {
    0: "Blasts suspected",
    1: "Blasts possible",
    2: "Few blasts",
    3: "No blasts found",
}
"""What a page calls the ranks of `cloud.index.urgency`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A slide of the list."""

    slide: Slide
    waited_s: float
    reading: Sequence[str]
    """Readers who have it open now."""

    @property
    def urgency(self) -> str:
        """In words."""
        return URGENCIES[self.slide.rank]

    @property
    def signed(self) -> bool:
        """Whether a person has signed for it; else it is preliminary."""
        return self.slide.state in ("signed", "amended")


@dataclass(frozen=True, slots=True)
class Listed:
    """What was asked for, at one moment."""

    asked: Asked
    lines: Sequence[Line]
    next: Place | None
    totals: Totals

    def context(self) -> dict[str, Any]:
        """As variables of the parts `ranks` and `lines`."""
        return {
            "asked": self.asked,
            "lines": self.lines,
            "next": self.next,
            "totals": self.totals,
            "urgencies": URGENCIES.items(),
            "page_size": PAGE_SIZE,
        }


def listed(index: Index, presence: Presence, asked: Asked, counted: Totals | None = None) -> Listed:
    """Read it from the projection; blocks. The same for every reader.

    Args:
        index: the projection.
        presence: who reads what.
        asked: the filter.
        counted: totals that were counted just now; None counts.
    """
    found, now = page(index, asked.wanted), datetime.now(UTC)
    lines = [
        Line(
            slide,
            slide.waited_s(now),
            presence.others(SlideKey(slide.site, slide.slide), ""),  # but for nobody: all
        )
        for slide in found.slides
    ]
    return Listed(asked, lines, found.after, counted or totals(index))
