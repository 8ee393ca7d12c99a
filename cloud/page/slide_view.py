"""What the page of a slide shows, put together from a case. Pure: the same case, the same page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from cloud.page.draft import Draft
from cloud.page.gallery import Bin, bins, later_fields
from cloud.reports.facts import Differential, FieldFacts, ReportFacts
from cloud.reports.gather import differential, field_facts, report_facts
from cloud.reviews.desk import Case
from cloud.reviews.entry import Reclassify
from cloud.reviews.replay import Proposed, Review
from cloud.reviews.steps import steps
from cloud.slides.narrow import cells_to_narrow
from cloud.slides.tally import BLASTS

Mode: TypeAlias = Literal["review", "signed", "amend"]
"""signed: nothing can be changed until somebody begins an amendment, which is `amend`."""


@dataclass(frozen=True, slots=True)
class SlideView:
    """A slide before one reader."""

    facts: ReportFacts
    mode: Mode
    me: str
    number: int
    """Of the last entry that is shown."""
    shown: str
    """`Case.shown`."""
    bins: tuple[Bin, ...]
    machine: Differential
    reader: Differential
    more_cells: int
    """How many would narrow the interval of the reader's blasts to ± 5 points."""
    flagged: int
    unseen: int
    left: int
    """Unidentified cells that nobody has named or waived."""
    undo: int
    """Number of the entry that the reader's next undo takes back; 0: none."""
    fields: tuple[FieldFacts, ...]
    """All, also those that came after the signature."""
    later: frozenset[str]
    """Names of those."""
    proposal: Proposed | None
    draft: Draft | None
    changes: tuple[Reclassify, ...]
    """Of the draft."""
    drawn: str
    """Digest of the amendment that the draft would be; empty: there is no draft."""
    may_amend: bool
    """Whether the reader's role lets them."""

    @property
    def seen(self) -> int:
        """Flagged cells at which somebody has looked."""
        return self.flagged - self.unseen

    @property
    def cells(self) -> int:
        """All of the slide."""
        return sum(bin_.total for bin_ in self.bins)

    @property
    def ready(self) -> bool:
        """Whether it may be signed, or amended once a reason is given."""
        return not self.unseen and not self.left

    @property
    def problems(self) -> tuple[FieldFacts, ...]:
        """Fields with something wrong."""
        return tuple(field for field in self.fields if field.problem is not None)

    @property
    def unmeasured(self) -> int:
        """Fields of which the station measured nothing."""
        return sum(field.quality is None for field in self.fields)

    @property
    def mine(self) -> bool:
        """Whether the reader is the first of two, and another one has to sign."""
        return self.proposal is not None and self.proposal.reader == self.me


def view_of(
    case: Case,
    me: str,
    shown: Mapping[str, int] | None = None,
    draft: Draft | None = None,
    *,
    may_amend: bool = True,
) -> SlideView:
    """Put together what a reader sees.

    Args:
        case: the slide, with at least one field.
        me: the reader.
        shown: how many cells of each bin are drawn; see `gallery.bins`.
        draft: of an amendment; of no use while the slide is not signed.
        may_amend: whether the reader's role lets them.

    Raises:
        ReportError: what was signed cannot be found again in the results.
    """
    signed = bool(case.review.reports)
    draft = draft if signed else None
    review = case.review if draft is None else draft.after(case)
    facts = report_facts(case)
    machine, reader = _figures(case, review, facts, as_signed=signed and draft is None)
    last = steps(case.entries, me, case.slide.machine)
    return SlideView(
        facts=facts,
        mode=_mode(signed=signed, amending=draft is not None),
        me=me,
        number=case.review.number,
        shown=case.shown,
        bins=bins(case, review, shown or {}),
        machine=machine,
        reader=reader,
        more_cells=_more_cells(reader),
        flagged=sum(label in BLASTS for label in case.slide.machine.values()),
        unseen=len(case.slide.unseen(review)),
        left=len(case.slide.unidentified(review)),
        undo=last[0].number if last else 0,
        fields=tuple(field_facts(name, result) for name, result in case.slide.results.items()),
        later=later_fields(case),
        proposal=case.proposal,
        draft=draft,
        changes=() if draft is None else tuple(draft.tidy(case)),
        drawn="" if draft is None else draft.drawn(case),
        may_amend=may_amend,
    )


def _mode(*, signed: bool, amending: bool) -> Mode:
    if amending:
        return "amend"
    return "signed" if signed else "review"


def _figures(
    case: Case, review: Review, facts: ReportFacts, *, as_signed: bool
) -> tuple[Differential, Differential]:
    if as_signed and facts.reader is not None:
        return facts.machine, facts.reader
    report = case.slide.report(review)
    return differential(report.machine, 0), differential(report.reader, report.excluded)


def _more_cells(reader: Differential) -> int:
    if reader.identified == 0:
        return 0
    blasts = sum(reader.count(label) for label in BLASTS)
    return cells_to_narrow(blasts, reader.identified)
