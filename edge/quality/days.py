"""Days of captures, and which of them a right clock has named."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_LATEST: Final = 30
"""Days, the last ones in order of capture, that say when now is."""
_SPAN: Final = timedelta(days=120)
"""Of the calendar; days that lie closer than this belong together."""


@dataclass(frozen=True)
class Day:
    """Medians of one day's captures; units as in `imaging.quality.Quality`."""

    date: date
    brightness: float
    focus: float
    cast: float
    captures: int
    order: int = 0
    """Number of its last capture, counted through all days: grows whatever the clock says."""


def together(days: Sequence[Day]) -> list[Day]:
    """Leave out the days that a wrong clock has named.

    A station without a clock of its own wakes up in another year and captures there until the
    network tells the time. Whether that lies before or behind, and which year is the right one,
    is not to be known from one date; but most of the last days lie within one span.

    Args:
        days: in any order.

    Returns:
        Those of the 120 days in which most of the last 30 days with captures lie, earliest first.
    """
    last = sorted(days, key=lambda day: day.order)[-_LATEST:]
    if not last:
        return []
    ends = max(last, key=lambda day: _weight(day.date, last)).date
    return sorted((day for day in days if _within(day, ends)), key=lambda day: day.date)


def _weight(ends: date, last: Sequence[Day]) -> tuple[int, int, date]:
    """How many days lie in the span that ends so; of equal ones the later captured counts more."""
    inside = [day for day in last if _within(day, ends)]
    return len(inside), max(day.order for day in inside), ends


def _within(day: Day, ends: date) -> bool:
    return timedelta(0) <= ends - day.date < _SPAN
