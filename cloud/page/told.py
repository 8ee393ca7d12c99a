"""What programs are told: the answers of `/api/…`, typed."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from cloud.index.worklist import State
from cloud.reviews.entry import ReaderLabel
from wire.words import Label

Interval = tuple[float, float]


class ToldLine(BaseModel):
    """A slide of the worklist; its figures are the machine's."""

    notice: str
    site: str
    slide: str
    state: State
    preliminary: bool
    rank: int
    urgency: str
    waiting_since: datetime
    waited_s: int
    done: bool
    fields: int
    later_fields: int
    cells: int
    counts: dict[Label, int]
    blasts_per_100: float | None
    blasts_interval: Interval | None
    updated_at: datetime
    reading: list[str]
    """Readers who have it open now."""
    page: str


class ToldWorklist(BaseModel):
    """A page of the worklist."""

    notice: str
    slides: list[ToldLine]
    next: str | None
    """Address of the next page."""
    states: dict[State, int]
    waiting_by_urgency: dict[int, int]


class ToldShare(BaseModel):
    """A class among the identified cells."""

    label: Label
    count: int
    percent: float | None
    interval: Interval | None


class ToldDifferential(BaseModel):
    """Counts of the machine, or of the reader."""

    shares: list[ToldShare]
    identified: int
    excluded: int
    blasts_per_100: float | None
    blasts_interval: Interval | None


class ToldCell(BaseModel):
    """A cell, as the machine suggests it and as the reader calls it."""

    name: str
    field: str
    box: tuple[int, int, int, int]
    """Left, top, width and height in pixels of the field."""
    machine: Label
    probability: float
    probabilities: dict[str, float]
    real: float
    reader: ReaderLabel | None
    """None where no reader has named it: the machine's stands."""
    seen: bool
    waived: bool


class ToldField(BaseModel):
    """A field; its picture is at `picture`."""

    name: str
    device: str
    captured_at: datetime
    cells: int
    width: int
    height: int
    image_sha256: str
    problem: str | None
    """Code of the first thing wrong with its quality."""
    later: bool
    """It came after the signature: in no figure until somebody amends."""
    picture: str


class ToldModel(BaseModel):
    """A bundle that suggested something here."""

    name: str
    version: str
    sha256: str
    fields: int


class ToldSignature(BaseModel):
    """Somebody answers for the report."""

    state: Literal["signed", "amended"]
    number: int
    entry_sha256: str
    reader: str
    at: datetime
    reason: str


class ToldBin(BaseModel):
    """How many cells are called so, and how many of them are flagged and not yet seen."""

    cells: int
    unseen: int


class ToldSlide(BaseModel):
    """A slide."""

    notice: str
    limitations: list[str]
    site: str
    slide: str
    state: Literal["preliminary", "signed", "amended"]
    review: State
    """How far the readers are."""
    number: int
    """Of the last entry of its reviews; 0: there is none."""
    shown: str
    captured_from: datetime
    captured_to: datetime
    as_of: datetime
    machine: ToldDifferential
    reader: ToldDifferential | None
    """None while no reader has done anything; while `preliminary` it is a draft."""
    flagged: int
    seen: int
    unidentified_left: int
    ready: bool
    """Whether it may be signed."""
    more_cells_for_5_points: int
    bins: dict[ReaderLabel, ToldBin]
    later_fields: int
    fields: list[ToldField]
    cells: list[ToldCell]
    models: list[ToldModel]
    signatures: list[ToldSignature]
