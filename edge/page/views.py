"""What the templates are given."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from edge.calibration import Correction
from edge.desk import DeskState
from edge.quality.bands import Band
from edge.quality.days import Day

PARTS: Final = (
    "slide", "capture", "lines", "bands", "health", "troubles", "scan", "calibration", "trend",
    "error",
)  # fmt: skip
"""The parts of the page, by the names of their templates."""


@dataclass(frozen=True)
class ErrorView:
    """A refusal or a trouble, as the page shows it."""

    code: str
    sentence: str
    remedy: str
    link: str
    """To the code on the refusals page."""
    qr: str = ""
    """An SVG with that link, as Markup; empty where a phone could not open it."""
    detail: str = ""


@dataclass(frozen=True)
class Seen:
    """All that the parts show, at one moment."""

    state: DeskState
    bands: Sequence[Band] = ()
    hint: str = ""
    """What the hand at the fine focus does now; empty where nothing is to be said."""
    days: Sequence[Day] = ()
    trend_warning: str = ""
    calibration: Correction | None = None
    drift: str = ""
    troubles: Sequence[ErrorView] = ()
    error: ErrorView | None = None

    def context(self) -> dict[str, Any]:
        """As variables of a template."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
