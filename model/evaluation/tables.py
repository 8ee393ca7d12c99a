"""Tables of figures, the same in the report on one run and in the comparison of several."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from model.evaluation import paper
from model.evaluation.breakdown import Row as Part
from model.evaluation.curves import COVERAGES, at_coverage
from model.evaluation.measures import Interval
from model.evaluation.page import NOTHING, Cell, Row, Table, figure, interval, percent
from model.evaluation.scores import ClassScores, Scores

HEADLINE_NOTE: Final = (
    "Small: 95 % interval, of shares of cells by the method named, of all else by a bootstrap that "
    "draws whole groups (patients, slides, parent images). border-only: balanced accuracy of a "
    "linear model that sees a 3-pixel border and no cell; where it does well, class follows "
    "something else than the cell. answered: cells whose probability reaches the threshold; the "
    "others are unidentified. Chance can only add to an ECE: its interval leans upward."
)

HEADLINE: Final = (
    "cells",
    "accuracy",
    "balanced accuracy",
    "border-only",
    "AUROC, AML against Normal",
    "ECE",
    "answered",
    "accuracy on answered",
)


class Line(NamedTuple):
    """A named set of figures, and why not to trust them."""

    name: Cell
    scores: Scores
    warning: str = ""


def headline(title: str, first: str, lines: Sequence[Line]) -> Table:
    """A line a model or scope: its figures, its control, its abstention. See HEADLINE_NOTE."""
    return Table(
        title,
        (first, *HEADLINE),
        [Row((line.name, *_headline(line.scores)), warning=line.warning) for line in lines],
    )


def _headline(scores: Scores) -> tuple[Cell | str, ...]:
    answered = scores.answered
    return (
        Cell(str(scores.cells), f"{scores.groups} groups"),
        interval(scores.accuracy),
        interval(scores.balanced_accuracy),
        figure(scores.border_balanced_accuracy),
        interval(scores.auroc_aml_normal),
        interval(scores.calibration_error),
        interval(answered.coverage) if answered else NOTHING,
        interval(answered.accuracy) if answered else NOTHING,
    )


def beside_the_paper(lines: Sequence[Line], labels: tuple[str, ...]) -> Table:
    """The paper's table with these classes, and ours below it."""
    printed = paper.table_for(labels)
    title = f"{printed.name} of the paper, and ours" if printed else "Ours, as the paper's tables"
    note = (
        f"In italics: {paper.CITATION}, {printed.name}, on {printed.images} held-out images of a "
        "random split that leaks (crops and the fields they are cut from lie on both sides); the "
        "interval of its accuracy is Wilson's, computed here."
        if printed
        else f"The paper ({paper.CITATION}) has no table with just these classes."
    )
    columns = [f"{label} {what}" for label in labels for what in ("precision", "recall", "F1")]
    theirs = [_printed(printed, row) for row in printed.rows] if printed else []
    ours = [
        Row(
            (line.name, interval(line.scores.accuracy), *_classes(line.scores, labels)),
            warning=line.warning,
        )
        for line in lines
    ]
    return Table(title, ("network", "accuracy", *columns), [*theirs, *ours], note)


def _printed(table: paper.Table, row: paper.Row) -> Row:
    values = [figure(v, 2) for label in table.classes for v in row.classes[label]]
    name = Cell(row.network, "paper, random split")
    accuracy = Cell(f"{row.accuracy:.4f}", interval(paper.accuracy(table, row)).detail)
    return Row((name, accuracy, *values), printed=True)


def _classes(scores: Scores, labels: Sequence[str]) -> list[Cell]:
    found = {one.label: one for one in scores.classes}
    return [interval(value) for label in labels for value in _three(found.get(label))]


def _three(one: ClassScores | None) -> tuple[Interval, Interval, Interval]:
    nothing = Interval(*[float("nan")] * 3)
    return (one.precision, one.recall, one.f1) if one else (nothing, nothing, nothing)


def classes(scores: Scores) -> Table:
    """Precision, recall, F1 and AUROC of each class."""
    return Table(
        f"Classes: {scores.scope}",
        ("class", "cells", "precision", "recall", "F1", "AUROC against the rest"),
        [
            Row(
                (
                    Cell(one.label, ", ".join(f"{k} {v}" for k, v in one.sources.items())),
                    str(one.cells),
                    interval(one.precision),
                    interval(one.recall),
                    interval(one.f1),
                    interval(one.auroc),
                )
            )
            for one in scores.classes
        ],
        note=f"Precision and recall: {scores.interval}. F1 and AUROC: bootstrap by group.",
    )


def confusion(scores: Scores) -> Table:
    """Counts, and shares of each row."""
    rows = []
    for label, counts in zip(scores.labels, scores.confusion, strict=True):
        if total := sum(counts):
            cells = [Cell(str(count), percent(count / total)) for count in counts]
            rows.append(Row((label, *cells, str(total))))
    columns = ("right class", *(f"suggested {label}" for label in scores.labels), "cells")
    return Table(f"Confusion matrix: {scores.scope}", columns, rows)


def reliability(scores: Scores) -> Table:
    """Belief against truth, a line a bin."""
    return Table(
        f"Reliability: {scores.scope}",
        ("probability", "cells", "mean probability", "share right"),
        [
            Row(
                (
                    f"{one.low:.2f} to {one.high:.2f}",
                    str(one.cells),
                    figure(one.confidence),
                    interval(one.accuracy),
                )
            )
            for one in scores.reliability
        ],
        note=f"ECE {figure(scores.calibration_error.value)}, Brier score {figure(scores.brier)} "
        f"(0 to 2), log loss {figure(scores.log_loss)} nats. Intervals in the table are Wilson's.",
    )


def abstention(scores: Scores) -> Table:
    """What is answered and how much of it is right, at a few coverages and at the threshold."""
    points = [at_coverage(scores.abstention, coverage) for coverage in COVERAGES]
    rows = [Row((percent(p.coverage), figure(p.threshold), figure(p.accuracy))) for p in points]
    if chosen := scores.answered:
        name = Cell(percent(chosen.coverage.value), "the run's threshold")
        rows.append(Row((name, figure(chosen.threshold), interval(chosen.accuracy))))
    return Table(
        f"Abstention: {scores.scope}",
        ("answered", "threshold", "accuracy on answered"),
        rows,
        note="The whole curve is in report.json and in the picture.",
    )


def parts(title: str, what: str, rows: Sequence[Part], note: str) -> Table:
    """Accuracy of parts of the cells."""
    return Table(
        title,
        (what, "class", "cells", "right", "share right"),
        [
            Row(
                (
                    Cell(row.name or "no name", row.source),
                    row.label,
                    str(row.cells),
                    str(row.right),
                    interval(row.accuracy),
                )
            )
            for row in rows
        ],
        note,
    )


def spread(values: Sequence[float]) -> Cell:
    """Mean and standard deviation over seeds, and the range."""
    there = np.array([value for value in values if not np.isnan(value)])
    if not len(there):
        return Cell(NOTHING)
    if len(there) == 1:
        return Cell(figure(float(there[0])), "one run")
    return Cell(
        f"{there.mean():.3f} ± {there.std(ddof=1):.3f}", f"{there.min():.3f} to {there.max():.3f}"
    )
