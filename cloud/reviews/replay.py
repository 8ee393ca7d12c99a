"""From the entries of a chain to the state of a slide. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, get_args

from cloud.reviews.entry import (
    ROOT,
    Amend,
    Basis,
    CellName,
    Cells,
    Comment,
    Entry,
    FieldName,
    Propose,
    ReaderLabel,
    Reclassify,
    Report,
    See,
    Sign,
    Waive,
    basis,
    cell_names,
    field_name,
    field_of,
)
from cloud.slides.tally import BLASTS, blasts_per_100
from wire.messages import FrameResult
from wire.words import Label


@dataclass(frozen=True, slots=True)
class Proposed:
    """A report that one reader answers for, and that waits for a second one."""

    reader: str
    number: int
    """Of its entry."""
    at: datetime
    report: Report
    basis: Basis
    """The fields that it is about: with others it does not stand."""


@dataclass(frozen=True, slots=True)
class SignedReport:
    """A report that somebody signed; the later ones do not undo the earlier ones."""

    number: int
    """Of its entry."""
    reader: str
    at: datetime
    report: Report
    reason: str
    """Of the amendment; empty in the first."""
    fields: int
    """How many fields it is about."""
    first: Proposed | None = None
    """The proposal that it confirms, where two readers answer for it."""


@dataclass(slots=True)
class Review:
    """Where a slide stands after the entries that it was given."""

    number: int = 0
    head: str = ROOT
    """SHA-256 of the last entry's bytes."""
    labels: dict[CellName, ReaderLabel] = field(default_factory=dict)
    seen: set[CellName] = field(default_factory=set)
    comments: list[tuple[str, datetime, Comment]] = field(default_factory=list)
    """Reader, time and remark."""
    waived: set[FieldName] = field(default_factory=set)
    reports: list[SignedReport] = field(default_factory=list)
    proposal: Proposed | None = None
    """Until labels or waivers change; whether it still has the slide's fields is asked of
    `Slide.proposal`."""

    @property
    def state(self) -> Literal["open", "in review", "signed", "amended"]:
        """Where it stands."""
        if self.reports:
            return "signed" if len(self.reports) == 1 else "amended"
        return "in review" if self.number else "open"

    def copy(self) -> "Review":
        """One that can be changed while this one stays."""
        return replace(
            self,
            labels=dict(self.labels),
            seen=set(self.seen),
            comments=list(self.comments),
            waived=set(self.waived),
            reports=list(self.reports),
        )

    def take(self, entry: Entry, head: str) -> None:
        """One entry further."""
        self.number, self.head = entry.number, head
        action = entry.action
        match action:
            case See(cells):
                self.seen.update(cells)
            case Reclassify(cells, label):
                self._reclassify(cells, label)
            case Comment():
                self.comments.append((entry.reader, entry.at, action))
            case Waive():
                self.waived.update(entry.basis.fields)
                self.proposal = None
            case Propose(report):
                self.proposal = Proposed(entry.reader, entry.number, entry.at, report, entry.basis)
            case Sign(report):
                self._signed(entry, report, "")
            case Amend():
                self.change(action, entry.basis.fields)
                self._signed(entry, action.report, action.reason)

    def change(self, amend: Amend, fields: Iterable[FieldName]) -> None:
        """What an amendment changes, but for its signature."""
        self.seen.update(amend.seen)
        for change in amend.changes:
            self._reclassify(change.cells, change.label)
        if amend.waive:
            self.waived.update(fields)

    def _reclassify(self, cells: Cells, label: ReaderLabel) -> None:
        self.proposal = None
        self.seen.update(cells)
        for cell in cells:
            self.labels[cell] = label

    def _signed(self, entry: Entry, report: Report, reason: str) -> None:
        fields = len(entry.basis.fields)
        first, self.proposal = self.proposal, None
        if first is not None and first.basis != entry.basis:
            first = None
        self.reports.append(
            SignedReport(entry.number, entry.reader, entry.at, report, reason, fields, first)
        )


@dataclass(frozen=True, slots=True)
class Slide:
    """The results of a slide, by field and by cell."""

    results: Mapping[FieldName, FrameResult]
    machine: Mapping[CellName, Label]

    @classmethod
    def of(cls, results: Sequence[FrameResult]) -> "Slide":
        """Order a slide's results."""
        machine = {
            name: cell.label
            for result in results
            for name, cell in zip(cell_names(result), result.cells, strict=True)
        }
        return cls({field_name(result): result for result in results}, machine)

    def unseen(self, review: Review) -> list[CellName]:
        """Flagged cells, the suspected blasts, at which no reader has looked."""
        return [c for c, label in self.machine.items() if label in BLASTS and c not in review.seen]

    def unidentified(self, review: Review) -> list[CellName]:
        """What lies in the unidentified bin and was not waived."""
        return [
            cell
            for cell, label in self.machine.items()
            if review.labels.get(cell, label) == "unidentified"
            and field_of(cell) not in review.waived
        ]

    def proposal(self, review: Review) -> Proposed | None:
        """The proposal that waits for its second reader; other fields than it had end it."""
        found = review.proposal
        if found is None or basis(self.results.values()) != found.basis:
            return None
        return found

    def report(self, review: Review) -> Report:
        """The differential, machine's and reader's."""
        machine = Counter(self.machine.values())
        reader = Counter(review.labels.get(cell, label) for cell, label in self.machine.items())
        labels = get_args(Label)
        counts: dict[Label, int] = {label: reader[label] for label in labels}
        per_100, interval = blasts_per_100(counts)
        return Report(
            machine={label: machine[label] for label in labels},
            reader=counts,
            excluded=reader["excluded"],
            blasts_per_100=per_100,
            blasts_interval=interval,
        )
