"""The page on one run: which tables and pictures, in which order, under which words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np

from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation import tables
from model.evaluation.page import Cell, Page, Picture, Row, Section, Table, figure, interval
from model.evaluation.plots import confusion, errors, single
from model.evaluation.runs import Run
from model.evaluation.scopes import DRAWN, REAL
from model.evaluation.scores import Scores
from model.evaluation.validation import Rescaling, Sets
from model.labels import LABELS

if TYPE_CHECKING:
    from model.evaluation.evaluate import Report

WORST_GROUPS: Final = 15
"""In the table; the picture and the JSON have all."""

KEEP_TO_YOURSELF: Final = (
    "Shows cells of a data set. Its terms may forbid passing them on: keep this report to yourself."
)


def page(run: Run, report: "Report", *, pictures: bool) -> Page:
    """The page.

    Args:
        run: as read.
        report: its figures.
        pictures: show the worst errors, where the run kept its cells.
    """
    found = [
        _headline(report),
        _paper(run, report),
        _classes(report),
        _calibration(report),
        _abstention(report),
        _parts(report),
        *(_errors(run) if pictures else ()),
        _made(run),
    ]
    return Page(
        title=f"{run.title}: evaluation",
        lead=[
            f"Split: {run.split}. Seed: {'unknown' if run.seed is None else run.seed}. All figures "
            "are of cells that no training saw; a figure without its interval, its split and its "
            "border-only control beside it should not be quoted."
        ],
        sections=[_warned(section, run.leak) for section in found],
        warning=run.leak,
    )


def _warned(section: Section, leak: str) -> Section:
    if not leak:
        return section
    return replace(section, tables=[replace(table, warning=leak) for table in section.tables])


def _made(run: Run) -> Section:
    names = {
        "command": "command",
        "commit": "code",
        "data_digest": "data digest",
        "split_digest": "split digest",
        "weights": "weights",
        "temperature": "temperature",
        "abstain_below": "unidentified below",
        "versions": "versions",
    }
    rows = [Row((name, _shown(run.facts[key]))) for key, name in names.items() if key in run.facts]
    text = [f"{name}: {value}" for name, value in (row.cells for row in rows)]
    return Section("How it was made", text or ["The run says nothing of its making."])


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _headline(report: "Report") -> Section:
    lines = [tables.Line(Cell(s.scope, _method(s)), s) for s in report.scopes]
    left_out = report.split.startswith("leave-out")
    text = ["Held out: of patients, slides or images that the training did not have."]
    if any(s.scope.startswith("outside") for s in report.scopes):
        what = "the source that was left out" if left_out else "sources never trained on"
        text.append(f"Outside: {what}. That is how far it carries to another laboratory.")
    text.append(tables.HEADLINE_NOTE)
    return Section("Headline", text, [tables.headline("Figures by scope", "scope", lines)])


def _method(scores: Scores) -> str:
    return scores.interval.partition(" (")[0]


def _paper(run: Run, report: "Report") -> Section:
    scores = report.scopes[0]
    labels = tuple(LABELS[label] for label in run.predictions.known)
    line = tables.Line(Cell(run.title, f"{report.split}, {scores.scope}"), scores)
    came = "; ".join(
        f"{one.label} from {', '.join(f'{k} ({v})' for k, v in one.sources.items())}"
        for one in scores.classes
    )
    text = [
        f"Other data, another split: the two stand beside each other, they do not compete. "
        f"Ours are {scores.cells} cells, {came}."
    ]
    return Section("Beside the paper", text, [tables.beside_the_paper([line], labels)])


def _classes(report: "Report") -> Section:
    shown = report.scopes
    return Section(
        "Classes",
        (),
        [table for scores in shown for table in (tables.classes(scores), tables.confusion(scores))],
        [
            Picture(
                f"confusion-{_slug(scores.scope)}",
                f"Confusion matrix, {scores.scope}: cells, and share of the right class",
                partial(confusion.confusion, scores),
            )
            for scores in shown
        ],
    )


def _confident(report: "Report") -> list[Scores]:
    """Simulated cells are easier: they have no say in how far confidence may be believed."""
    return [scores for scores in report.scopes if scores.scope != DRAWN]


def _believed(report: "Report") -> Scores:
    return next((s for s in report.scopes if s.scope == REAL), report.scopes[0])


def _calibration(report: "Report") -> Section:
    shown = _confident(report)
    found = [tables.reliability(_believed(report))]
    if report.rescalings:
        found.append(_rescalings(report.rescalings))
    if report.conformal:
        found.append(_sets(report.conformal))
    return Section(
        "Calibration",
        ["Does a probability of 0.9 mean right nine times of ten?"],
        found,
        [
            Picture(
                f"reliability-{_slug(scores.scope)}",
                f"Reliability, {scores.scope}: share right by probability, Wilson's intervals, "
                "cells a bin",
                partial(single.reliability, scores),
            )
            for scores in shown
        ],
    )


def _rescalings(found: Sequence[Rescaling]) -> Table:
    return Table(
        "What rescaling on the validation part would do",
        ("probabilities", "ECE", "log loss", "Brier", "accuracy"),
        [
            Row(
                (
                    one.how,
                    interval(one.calibration_error),
                    figure(one.log_loss),
                    figure(one.brier),
                    interval(one.accuracy),
                )
            )
            for one in found
        ],
        "Fitted on the validation part, each pair of source and class weighing the same; measured "
        "on held-out real cells (simulated ones where there are no real ones).",
    )


def _sets(sets: Sets) -> Table:
    cells = sum(sets.sizes.values())
    sizes = [
        Row((f"sets of {size}", Cell(f"{count / cells:.1%}", f"{count} cells")))
        for size, count in sets.sizes.items()
    ]
    return Table(
        f"Conformal sets at {sets.level:.0%}",
        ("", "held-out cells"),
        [Row(("right class in the set", interval(sets.coverage))), *sizes],
        f"A class belongs to the set from a probability of {sets.threshold:.4f} up, chosen on the "
        "validation part; the likeliest always does (LAC, Sadinle et al. 2019).",
    )


def _abstention(report: "Report") -> Section:
    shown = _confident(report)
    return Section(
        "Abstention",
        ["What is gained by leaving the least sure cells to a person."],
        [tables.abstention(_believed(report))],
        [
            Picture(
                f"abstention-{_slug(scores.scope)}",
                f"Accuracy against coverage, {scores.scope}",
                partial(single.abstention, scores),
            )
            for scores in shown
        ],
    )


def _parts(report: "Report") -> Section:
    lines = [tables.Line(Cell(s.scope, _method(s)), s) for s in report.sources]
    found = [
        tables.headline("Held-out cells by source", "source", lines),
        tables.parts("By kind of cell", "kind", report.kinds, ""),
    ]
    pictures = []
    if report.groups:
        worst = report.groups[:WORST_GROUPS]
        note = (
            f"The {len(worst)} worst of {len(report.groups)} patients, slides or images with two "
            "cells or more. Wilson's intervals, over the cells of the group."
        )
        found.append(tables.parts("The hardest groups", "group", worst, note))
        said = "Share right for each patient, slide or image of several cells; area as cells"
        pictures.append(Picture("groups", said, partial(single.groups, report.groups)))
    return Section("Sources, kinds of cell, patients", (), found, pictures)


def _errors(run: Run) -> Iterator[Section]:
    pictures = run.pictures()
    rows = errors.worst(run.predictions)
    if pictures is None or not len(rows):
        return
    shown = run.predictions.take(rows)
    real = bool((shown.sources != SIMULATOR).any())
    picture = Picture(
        "errors",
        "Right class → suggested class, with its probability; the surest errors first",
        partial(errors.errors, shown, np.asarray(pictures[rows])),
        photographs=True,
        warning=KEEP_TO_YOURSELF if real else "",
    )
    yield Section("The worst errors", (), (), [picture])


def _slug(name: str) -> str:
    return "-".join(name.replace(",", "").split())
