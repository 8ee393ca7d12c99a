"""What a report consists of. Written once, shown as Markdown and as HTML alike."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from model.evaluation.measures import Interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NOTICE: Final = (
    "Research use only. Every class named here is a suggested pre-classification of single cells; "
    "a person decides. Not a medical device, never tested on patients prospectively, not for use "
    "in diagnostic procedures."
)

NOTHING: Final = "–"
"""Where a figure has no value."""


@dataclass(frozen=True)
class Cell:
    """A field of a table: what counts, and in small letters what qualifies it."""

    text: str
    detail: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    cells: Sequence[Cell | str]
    warning: str = ""
    """Why the line must not be trusted; shown in red."""
    printed: bool = False
    """Figures of others: set off from ours."""


@dataclass(frozen=True)
class Table:
    """A table with what has to be known to read it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    note: str = ""
    warning: str = ""
    """Why none of its lines must be trusted; shown in red."""

    @property
    def red(self) -> str:
        """The warning, or what the red lines are where there are any."""
        marked = any(row.warning for row in self.rows)
        return self.warning or ("In red: a split that leaks, as said at the top." if marked else "")


@dataclass(frozen=True)
class Picture:
    """A plot, drawn when the report is written."""

    name: str
    """Of its file, without the ending."""
    caption: str
    draw: "Callable[[], Figure]"
    photographs: bool = False
    """It shows cells: written as PNG alone, and named as what must not be passed on."""
    warning: str = ""


@dataclass(frozen=True)
class Section:
    """A part of a report under its heading."""

    title: str
    text: Sequence[str] = ()
    tables: Sequence[Table] = ()
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    lead: Sequence[str]
    sections: Sequence[Section]
    warning: str = ""
    notice: str = field(default=NOTICE)


def figure(value: float, digits: int = 3) -> str:
    """A number, or a dash where there is none."""
    return NOTHING if math.isnan(value) else f"{value:.{digits}f}"


def interval(value: Interval) -> Cell:
    """A number with its interval below."""
    if math.isnan(value.value):
        return Cell(NOTHING)
    if math.isnan(value.low):
        return Cell(figure(value.value))
    return Cell(figure(value.value), f"{value.low:.3f} to {value.high:.3f}")


def percent(value: float) -> str:
    """A share in percent, or a dash."""
    return NOTHING if math.isnan(value) else f"{value:.1%}"
