"""What the page shows and the light mirrors. No accession, no path, no name is in any of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from edge.trouble import Trouble

Activity = Literal["idle", "capturing", "focusing", "scanning", "calibrating"]
By = Literal["page", "button", "remote", "scan", "station"]
"""Who asked for it; `station` where only the spool knows of it (before a restart, or captured on
the command line)."""


@dataclass(frozen=True)
class Line:
    """One press of capture and how far it has come."""

    capture_id: str
    """UUIDv7; a refused picture has one too, which travels nowhere."""
    slide: str
    """Token."""
    at: datetime
    """UTC, by the station's clock."""
    by: By
    cells: int = 0
    """White cells found in the field."""
    saved: bool = False
    sent: bool = False
    stored: bool = False
    refused: str = ""
    """Why it was refused and what to do, in sentences; empty when it was not."""
    reason: str = ""
    """Code of that refusal, as in docs/refusals.md."""
    suggestion: str = ""
    """The field's suggested label once the result is back: preliminary, for research use only."""
    counts: dict[str, int] = field(default_factory=dict)
    """White cells by suggested label."""
    quality: dict[str, float] = field(default_factory=dict)
    """focus, brightness, clipped, cast, tissue: see `imaging.quality.Quality`."""


@dataclass(frozen=True)
class Refusal:
    """What was refused last, whoever asked."""

    code: str
    sentence: str
    remedy: str
    at: datetime
    by: By


@dataclass(frozen=True)
class ScanState:
    """A scan, running or interrupted."""

    running: bool
    target_cells: int
    cells: int
    """White cells found so far."""
    fields: int
    """Places visited so far."""
    all_fields: int
    """Places of the whole area."""
    refused: int = 0
    """Fields that were not fit to be saved."""
    counts: dict[str, int] = field(default_factory=dict)
    """White cells by suggested label, as far as results are back; preliminary."""
    problem: str = ""
    """Why it stopped before its end; empty when nothing is wrong."""
    finished: bool = False
    """It came to its end; else, when it is not running, it can be gone on with."""


@dataclass(frozen=True)
class Can:
    """What is attached."""

    stage: bool = False
    glass: bool = False
    """The stage knows where clear glass is, and can go there to calibrate."""
    gpio: bool = False


@dataclass(frozen=True)
class DeskState:
    """Everything there is to see, at one moment."""

    version: int
    """Grows with every change."""
    slide: str | None
    """Token of the open slide."""
    slide_since: datetime | None
    activity: Activity
    lines: tuple[Line, ...]
    """Newest first, at most 50."""
    waiting: int
    """Frames in the spool without a receipt."""
    refused: int
    """Frames in the spool that the cloud refused."""
    disk_free_mb: int
    broker: bool
    broker_problem: str
    """Why the broker is away; empty when it is there."""
    clock_problem: str
    certificate_problem: str
    camera_problem: str
    calibration_problem: str
    """Drift of lamp or white balance since the calibration, or slow dimming over days."""
    troubles: tuple[Trouble, ...]
    """All that is wrong, those above included; each with its code and remedy."""
    refusal: Refusal | None
    """The last one, until something succeeds."""
    scan: ScanState | None
    can: Can
