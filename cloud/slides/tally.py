"""Adds the fields of one slide up. Pure: the same fields give the same bytes, in any order."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, get_args

from cloud.slides.interval import exact_interval
from wire.messages import FrameResult, SlideResult
from wire.words import Label

BLASTS: Final[tuple[Label, ...]] = ("ALL", "AML")
"""What counts as a suspected blast."""


@dataclass(frozen=True, slots=True)
class Field:
    """What one field adds to its slide."""

    counts: Mapping[Label, int]
    at: datetime
    """When it was classified."""

    @classmethod
    def of(cls, result: FrameResult) -> "Field":
        """Count the cells of a stored result."""
        return cls(Counter(cell.label for cell in result.cells), result.classified_at)


def add_up(site: str, slide: str, fields: Collection[Field]) -> SlideResult:
    """Add the fields up; each capture may stand among them once.

    Args:
        site: of the slide.
        slide: its token.
        fields: one or more.
    """
    counts: dict[Label, int] = {
        label: sum(field.counts.get(label, 0) for field in fields) for label in get_args(Label)
    }
    per_100, interval = blasts_per_100(counts)
    return SlideResult(
        site=site,
        slide=slide,
        fields=len(fields),
        cells=sum(counts.values()),
        counts=counts,
        blasts_per_100=per_100,
        blasts_interval=interval,
        # Not the time of adding up: then no two workers would ever say the same.
        updated_at=max(field.at for field in fields),
    )


def blasts_per_100(
    counts: Mapping[Label, int],
) -> tuple[float | None, tuple[float, float] | None]:
    """Suspected blasts per 100 identified white cells, and the exact 95 % interval of that.

    Both are rounded to three digits behind the point, and None where no cell is identified.
    """
    blasts = sum(counts.get(label, 0) for label in BLASTS)
    identified = blasts + counts.get("Normal", 0)
    if identified == 0:
        return None, None
    low, high = exact_interval(blasts, identified)
    return round(100 * blasts / identified, 3), (round(100 * low, 3), round(100 * high, 3))
