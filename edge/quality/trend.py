"""The captures' brightness, focus and cast over the days, and whether the light slowly dims."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil, isfinite, log
from pathlib import Path
from statistics import median
from typing import Final

from edge.quality.days import Day, together
from edge.quality.record import Record
from edge.quality.slope import Fall, falling
from imaging.verdict import DEFAULT_LIMITS, Measured

DIMMED: Final = 0.05
"""Relative loss of brightness from which it is worth a word."""

_RECENT: Final = 21  # days of the calendar: a lamp that has begun to fail shows in these first
_LEAST_DAYS: Final = 7
_LEAST_CAPTURES: Final = 3  # of a day, without which its median is chance
_ENDS: Final = 3  # days at either end that must differ too, or it has been put right already
_FORESEEN: Final = 120  # days


class Trend:
    """Daily medians, kept in a small SQLite file. Thread-safe; a fault of it stops no capture.

    Args:
        file: the database; its folder is made. A damaged one is set aside beside it.
    """

    def __init__(self, file: Path) -> None:
        self._record = Record(file)

    @property
    def problem(self) -> str:
        """What is wrong with the file, and what to do, in a sentence; empty when well."""
        return self._record.problem

    def note(self, moment: datetime, quality: Measured) -> None:
        """Remember a capture, under the station's calendar day.

        Args:
            moment: of the capture, with its time zone.
            quality: of the picture as it was judged; one that is no number is passed over.

        Raises:
            ValueError: `moment` has no time zone.
        """
        if moment.tzinfo is None:
            raise ValueError("the moment of a capture needs its time zone")
        values = (quality.brightness, quality.focus, quality.cast)
        if all(isfinite(value) for value in values):
            self._record.add(moment.astimezone().date(), *values)

    def days(self) -> list[Day]:
        """The days that belong together, earliest first.

        A clock that was wrong for a while leaves days of another year; those are left out.
        """
        return together(self._record.days())

    def warning(self) -> str:
        """Whether the pictures have slowly become darker, and what to do; empty when not."""
        days = [day for day in self.days() if day.captures >= _LEAST_CAPTURES]
        if not days:
            return ""
        recent = [day for day in days if (days[-1].date - day.date).days < _RECENT]
        return _dimming(days) or _dimming(recent)

    def close(self) -> None:
        """Close the file."""
        self._record.close()


def _dimming(days: Sequence[Day]) -> str:
    if len(days) < _LEAST_DAYS or not _darker_now(days):
        return ""
    fall = falling([day.date.toordinal() for day in days], [day.brightness for day in days])
    if fall is None or fall.lost < DIMMED:
        return ""
    span = (days[-1].date - days[0].date).days
    return (
        f"The pictures have become {fall.lost:.0%} darker within {span} days. "
        f"{_outlook(days[-1].brightness, fall)}Clean condenser and lens, look whether the lamp "
        "ages, set it as it was; then calibrate on an empty field."
    )


def _darker_now(days: Sequence[Day]) -> bool:
    before, now = (median(day.brightness for day in end) for end in (days[:_ENDS], days[-_ENDS:]))
    return now <= before * (1 - DIMMED)


def _outlook(brightness: float, fall: Fall) -> str:
    """When the gate will refuse them, if soon."""
    darkest = DEFAULT_LIMITS.darkest
    if brightness <= darkest:
        return ""
    left = ceil(log(darkest / brightness) / log(1 - fall.a_day))
    return f"At this pace they are refused in {left} days. " if left <= _FORESEEN else ""
