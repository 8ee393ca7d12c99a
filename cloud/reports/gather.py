"""From a slide and its chain to the facts of its report. Pure: the same slide, the same facts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import get_args

from cloud.reports.facts import (
    GALLERY,
    Differential,
    Excluded,
    FieldFacts,
    FirstReader,
    Model,
    Pictured,
    Problem,
    Remark,
    ReportFacts,
    Share,
    Signature,
    State,
    notice_of,
)
from cloud.reviews.desk import Case
from cloud.reviews.entry import (
    Amend,
    CellName,
    Comment,
    Entry,
    ReaderLabel,
    Reclassify,
    Sign,
    Waive,
    cell_names,
)
from cloud.reviews.replay import Proposed, Review, Slide
from cloud.slides.interval import exact_interval
from cloud.slides.tally import blasts_per_100
from imaging.verdict import judge
from wire.messages import FrameResult
from wire.words import Label


class ReportError(ValueError):
    """There is no such report."""


def report_facts(case: Case, number: int | None = None) -> ReportFacts:
    """Gather the facts of a report.

    Args:
        case: a slide with its chain, as the reader's desk loads it.
        number: of the entry that signed an earlier report; None: as the slide stands now. What is
            signed shows the fields that were signed, also after others have come.

    Raises:
        ReportError: the slide has no field, `number` is no signature, or what was signed cannot be
            found again in the results.
    """
    if not case.slide.results:
        raise ReportError("no result of this slide is stored: check its token")
    entries = _entries(case, number)
    slide = _as_signed(case.slide, entries)
    review = _replayed(case, entries)
    results = list(slide.results.values())
    state: State = "preliminary" if review.state in {"open", "in review"} else _signed(review)
    first = results[0]
    report = slide.report(review)
    if review.reports and report != review.reports[-1].report:
        raise ReportError(
            f"the report that entry {review.reports[-1].number} signed is not what its cells give: "
            "run leukoscope-cloud verify"
        )
    captured = [result.captured_at for result in results]
    return ReportFacts(
        state=state,
        notice=notice_of(state),
        site=first.site,
        slide=first.slide,
        machine=differential(report.machine, 0),
        reader=differential(report.reader, report.excluded) if entries else None,
        fields=tuple(field_facts(name, result) for name, result in slide.results.items()),
        gallery=tuple(_gallery(slide, review)),
        later_fields=len(case.slide.results) - len(slide.results),
        unseen=len(slide.unseen(review)),
        unidentified_left=len(slide.unidentified(review)),
        excluded=tuple(_excluded(entries, slide, review)),
        remarks=tuple(_remarks(entries)),
        models=_models(results),
        signatures=tuple(_signatures(case, review)),
        proposed=_first(case, slide.proposal(review)),
        number=review.number,
        captured_from=min(captured),
        captured_to=max(captured),
        as_of=review.reports[-1].at if review.reports else _newest(results, entries),
    )


def _entries(case: Case, number: int | None) -> list[Entry]:
    """Those that the report rests on: up to a signature, or all while nobody has signed."""
    signed = [entry.number for entry in case.entries if isinstance(entry.action, Sign | Amend)]
    if number is not None and number not in signed:
        raise ReportError(f"entry {number} signs no report; those that do: {signed or 'none'}")
    last = number if number is not None else signed[-1] if signed else len(case.entries)
    return case.entries[:last]


def _as_signed(slide: Slide, entries: Sequence[Entry]) -> Slide:
    """The slide with the fields that were signed; with all while nobody has."""
    if not entries or not isinstance(entries[-1].action, Sign | Amend):
        return slide
    signed = entries[-1].basis.fields
    if missing := [name for name in signed if name not in slide.results]:
        raise ReportError(f"the signed field {missing[0]} is not stored: its result is gone")
    within = set(signed)
    return Slide.of([result for name, result in slide.results.items() if name in within])


def _replayed(case: Case, entries: Sequence[Entry]) -> Review:
    review = Review()
    for entry in entries:
        review.take(entry, _head(case, entry.number))
    return review


def _head(case: Case, number: int) -> str:
    """SHA-256 of an entry: the next one names it."""
    return case.entries[number].before if number < len(case.entries) else case.review.head


def _signed(review: Review) -> State:
    return "signed" if len(review.reports) == 1 else "amended"


def _newest(results: Sequence[FrameResult], entries: Sequence[Entry]) -> datetime:
    return max([*(r.classified_at for r in results), *(entry.at for entry in entries)])


def differential(counts: Mapping[Label, int], excluded: int) -> Differential:
    """Shares and intervals of one party's counts.

    Args:
        counts: by class, every class named.
        excluded: cells that are in none of them.
    """
    identified = sum(counts.values()) - counts["unidentified"]
    per_100, interval = blasts_per_100(counts)
    shares = tuple(_share(label, counts[label], identified) for label in get_args(Label))
    return Differential(shares, identified, excluded, per_100, interval)


def _share(label: Label, count: int, identified: int) -> Share:
    if label == "unidentified" or identified == 0:
        return Share(label, count, None, None)
    low, high = exact_interval(count, identified)
    percent = round(100 * count / identified, 3)
    return Share(label, count, percent, (round(100 * low, 3), round(100 * high, 3)))


def field_facts(name: str, result: FrameResult) -> FieldFacts:
    """One field, with the first thing that is wrong with it."""
    found = judge(result.quality) if result.quality is not None else None
    return FieldFacts(
        name=name,
        device=result.device,
        captured_at=result.captured_at,
        cells=len(result.cells),
        width=result.width,
        height=result.height,
        image_key=result.image_key,
        image_sha256=result.image_sha256,
        quality=result.quality,
        problem=Problem(found.code, found.sentence) if found is not None else None,
    )


def _gallery(slide: Slide, review: Review) -> Iterator[Pictured]:
    """A reader's word stands here as soon as it is signed."""
    found = [
        Pictured(
            cell=cell,
            label=named,
            suggested=suggested.label,
            probability=suggested.probability,
            field=field,
            box=suggested.box,
        )
        for field, result in slide.results.items()
        for cell, suggested in zip(cell_names(result), result.cells, strict=True)
        if (named := _named(review, cell, suggested.label)) != "excluded"
    ]
    for label in get_args(Label):
        of_it = [cell for cell in found if cell.label == label]
        yield from sorted(of_it, key=lambda cell: (cell.probability, cell.cell))[:GALLERY]


def _named(review: Review, cell: CellName, suggested: Label) -> ReaderLabel:
    return review.labels.get(cell, suggested) if review.reports else suggested


def _models(results: Sequence[FrameResult]) -> tuple[Model, ...]:
    used = Counter((r.model.name, r.model.version, r.model.sha256) for r in results)
    return tuple(Model(*model, fields) for model, fields in sorted(used.items()))


def _signatures(case: Case, review: Review) -> Iterator[Signature]:
    for n, report in enumerate(review.reports):
        head = _head(case, report.number)
        yield Signature(
            state="amended" if n else "signed",
            number=report.number,
            entry_sha256=head,
            reader=report.reader,
            at=report.at,
            reason=report.reason,
            first=_first(case, report.first),
        )


def _first(case: Case, proposed: Proposed | None) -> FirstReader | None:
    if proposed is None:
        return None
    head = _head(case, proposed.number)
    return FirstReader(proposed.reader, proposed.number, head, proposed.at)


def _remarks(entries: Sequence[Entry]) -> Iterator[Remark]:
    for entry in entries:
        match entry.action:
            case Comment(text, cells):
                yield Remark("comment", entry.reader, entry.at, text, tuple(cells))
            case Waive(reason) if reason:
                yield Remark("waiver", entry.reader, entry.at, reason)
            case Amend(waive=waive) if waive:
                yield Remark("waiver", entry.reader, entry.at, waive)


def _excluded(entries: Sequence[Entry], slide: Slide, review: Review) -> Iterator[Excluded]:
    last: dict[CellName, Entry] = {}
    for entry in entries:
        for change in _changes(entry):
            last |= dict.fromkeys(change.cells, entry)
    for cell, suggested in slide.machine.items():
        if review.labels.get(cell) == "excluded":
            by = last[cell]
            why = [comment.text for _, _, comment in review.comments if cell in comment.cells]
            if isinstance(by.action, Amend):
                why.append(by.action.reason)
            yield Excluded(cell, suggested, by.reader, by.at, tuple(why))


def _changes(entry: Entry) -> Sequence[Reclassify]:
    match entry.action:
        case Reclassify():
            return [entry.action]
        case Amend(changes=changes):
            return changes
    return []
