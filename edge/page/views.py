"""What the templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final

from edge.desk import DeskState
from edge.quality.bands import Band
from edge.quality.trend import Day

PARTS: Final = (
    "slide", "capture", "lines", "bands", "health", "troubles", "scan", "calibration", "trend"
)  # fmt: skip
"""The parts that follow the desk, by the names of their templates."""


@dataclass(frozen=True)
class StationView:
    """Which station this is."""

    site: str
    device: str
    version: str
    notice: str
    """Research use only."""
    fps: float
    """Pictures a second of the preview."""


@dataclass(frozen=True)
class ErrorView:
    """A refusal, as the page shows it."""

    code: str
    sentence: str
    remedy: str
    link: str
    """To the code on the refusals page."""
    qr: str
    """URL of an SVG with that link; empty where a phone could not open it."""


@dataclass(frozen=True)
class TrendView:
    """Brightness and focus over days."""

    days: Sequence[Day] = ()
    warning: str = ""


@dataclass(frozen=True)
class Seen:
    """All that the parts show, at one moment."""

    state: DeskState
    bands: Sequence[Band] = ()
    hint: str = ""
    """What the hand at the fine focus does now; empty where nothing is to be said."""
    trend: TrendView = field(default_factory=TrendView)
    calibrated_at: datetime | None = None
    error: ErrorView | None = None

    def context(self) -> dict[str, Any]:
        """As variables of a template."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
