"""What a report says, before anybody chooses how it looks. Page, PDF and FHIR are made from it.

It holds the slide's token and nothing else that names a patient: neither accession nor name has
ever reached the cloud. The free text of readers (comments, reasons) is passed on as they wrote it.
"""

from datetime import datetime
from typing import Final, Literal

from msgspec import Struct

from cloud.reviews.entry import CellName, FieldName
from wire.messages import Box, Quality
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE, Label

State = Literal["preliminary", "signed", "amended"]

LIMITATIONS: Final = (
    "The model knows three classes of white cells: ALL, AML and Normal. Other diseases, other "
    "cells and mixed pictures are in none of them.",
    "Cells are found by stain and size: a cell that was not found is in no count.",
    "Unidentified and excluded cells are in no percentage and not among the 100 white cells.",
    "Intervals (Clopper-Pearson, 95 %) speak of the number of cells counted, not of mistakes of "
    "the model or the reader, and not of a smear that differs from place to place.",
    "A suspected class is a suggestion about cells. It is no finding about a patient.",
)


GALLERY: Final = 12
"""Cells of a class in the gallery of a report; the page shows all."""


class Share(Struct, frozen=True):
    """One class among the cells that were named ALL, AML or Normal."""

    label: Label
    count: int
    percent: float | None
    """Of the identified cells, 0 to 100; None for `unidentified`, and while there are none."""
    interval: tuple[float, float] | None
    """Exact 95 % interval of `percent`."""


class Differential(Struct, frozen=True):
    """Counts of one party: the machine, or the reader."""

    shares: tuple[Share, ...]
    identified: int
    excluded: int
    blasts_per_100: float | None
    """Suspected blasts per 100 identified white cells; None while there are none."""
    blasts_interval: tuple[float, float] | None
    """Exact 95 % interval of `blasts_per_100`."""

    def count(self, label: Label) -> int:
        """Cells of this class."""
        return next(share.count for share in self.shares if share.label == label)


class Problem(Struct, frozen=True):
    """Why a field is not as it should be."""

    code: str
    sentence: str


class FieldFacts(Struct, frozen=True):
    """One captured field."""

    name: FieldName
    device: str
    captured_at: datetime
    cells: int
    width: int
    """Pixels, as `height`."""
    height: int
    image_key: str
    image_sha256: str
    quality: Quality | None
    """None where the station measured nothing."""
    problem: Problem | None
    """The first thing wrong with it; None for a good field, and where nothing was measured."""


class Pictured(Struct, frozen=True):
    """A cell of the gallery."""

    cell: CellName
    label: Label
    """By whose figures stand."""
    suggested: Label
    """By the machine."""
    probability: float
    """Of the likeliest class, 0 to 1."""
    field: FieldName
    box: Box


class Model(Struct, frozen=True):
    """A bundle that suggested something here."""

    name: str
    version: str
    sha256: str
    fields: int
    """How many of the slide's fields it looked at."""


class Excluded(Struct, frozen=True):
    """A cell that counts in nothing, and why."""

    cell: CellName
    suggested: Label
    """By the machine."""
    reader: str
    at: datetime
    why: tuple[str, ...]
    """Remarks on this cell, the reason of the amendment among them; empty where nobody said."""


class Remark(Struct, frozen=True):
    """What a reader wrote: a comment, or why unidentified cells may stay so."""

    kind: Literal["comment", "waiver"]
    reader: str
    at: datetime
    text: str
    cells: tuple[CellName, ...] = ()
    """Empty: about the slide."""


class FirstReader(Struct, frozen=True):
    """Where two readers answer for a report: the one who signed it first."""

    reader: str
    number: int
    """Of the entry."""
    entry_sha256: str
    at: datetime


class Signature(Struct, frozen=True):
    """Somebody answers for the report."""

    state: Literal["signed", "amended"]
    number: int
    """Of its entry in the slide's chain."""
    entry_sha256: str
    reader: str
    at: datetime
    reason: str
    """Of the amendment; empty in the first."""
    first: FirstReader | None = None
    """None: one reader answers alone."""

    @property
    def readers(self) -> tuple[str, ...]:
        """Who answers, in the order in which they signed."""
        return (self.reader,) if self.first is None else (self.first.reader, self.reader)


class ReportFacts(Struct, frozen=True, kw_only=True):
    """A slide's report."""

    state: State
    notice: str
    limitations: tuple[str, ...] = LIMITATIONS
    site: str
    slide: str
    """Its token."""
    machine: Differential
    reader: Differential | None
    """None while no reader has done anything; while `preliminary` it is a draft."""
    fields: tuple[FieldFacts, ...]
    gallery: tuple[Pictured, ...]
    """Of each class the least certain cells, at most `GALLERY`; without excluded cells."""
    later_fields: int
    """Fields that came after the signature: in no figure until somebody amends."""
    unseen: int
    """Cells suspected as blasts at which no reader has looked."""
    unidentified_left: int
    """Unidentified cells that nobody has named or waived."""
    excluded: tuple[Excluded, ...]
    remarks: tuple[Remark, ...]
    models: tuple[Model, ...]
    signatures: tuple[Signature, ...]
    """The first, and every amendment so far; the last one holds."""
    proposed: FirstReader | None = None
    """While it is preliminary: one of two readers has signed, and the other one has not."""
    number: int
    """Of the last entry that it rests on; 0: none."""
    captured_from: datetime
    captured_to: datetime
    as_of: datetime
    """Of the signature, or of the newest result or entry: never the time of printing, so the same
    slide gives the same report."""

    @property
    def verified(self) -> bool:
        """Whether a reader answers for the figures."""
        return bool(self.signatures)

    @property
    def stands(self) -> Differential:
        """The figures that hold: the reader's once signed, the machine's until then."""
        return self.reader if self.verified and self.reader is not None else self.machine


def notice_of(state: State) -> str:
    """The sentence that every page of the report shows."""
    return RESEARCH_USE_ONLY if state == "preliminary" else SIGNED_NOTICE
