"""The page that compares models: which tables and pictures, in which order."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from model.evaluation import paper, tables
from model.evaluation.entries import origin
from model.evaluation.page import (
    NOTHING,
    Cell,
    Page,
    Picture,
    Row,
    Section,
    Table,
    figure,
    interval,
)
from model.evaluation.pairs import Pair
from model.evaluation.plots import confusion, several
from model.evaluation.scores import Scores
from model.labels import LABELS

if TYPE_CHECKING:
    from model.evaluation.compare import Compared, Comparison


def page(comparison: "Comparison") -> Page:
    """The page."""
    found = comparison.entries
    sections = [
        *(_experiment(labels, found) for labels in _experiments(found)),
        *_scopes(found),
        *_spread(found),
        *_pairs(comparison),
        _runs(found),
    ]
    return Page(
        title=comparison.title,
        lead=[
            "Every model judged the held-out cells of the split named beside it. Figures of "
            "several seeds are their mean; the interval draws groups (patients, slides, parent "
            "images), each with the cells of all seeds."
        ],
        sections=sections,
        warning=_warning(found),
    )


def _warning(found: Sequence["Compared"]) -> str:
    leaking = [one.leak for one in found if one.leak]
    if not leaking:
        return ""
    return (
        f"{len(leaking)} of {len(found)} models stand in red: {leaking[0]}. Their figures show "
        "what the paper's protocol measures, not how good a model is."
    )


def _experiments(found: Sequence["Compared"]) -> list[tuple[str, ...]]:
    """Sets of classes, in their order."""
    return list(dict.fromkeys(tuple(one.labels) for one in found))


def _experiment(labels: tuple[str, ...], found: Sequence["Compared"]) -> Section:
    mine = [one for one in found if tuple(one.labels) == labels]
    lines = [_line(one, one.scopes[0]) for one in mine]
    slug = "-".join(labels).lower()
    return Section(
        f"{', '.join(labels)}: beside the paper",
        [_data(mine)],
        [tables.beside_the_paper(lines, labels)],
        [
            Picture(
                f"accuracy-{slug}",
                "Accuracy with its 95 % interval; ticks: each seed. Hollow: the paper. Red: leaks",
                partial(several.dots, _dots(mine, labels), "accuracy on held-out cells"),
            ),
            Picture(
                f"abstention-{slug}",
                "What abstaining buys: accuracy on the cells answered, the surest first",
                partial(several.curves, [(_name(one), one.scopes[0]) for one in mine]),
            ),
            Picture(
                f"confusion-{slug}",
                "Confusion matrices: cells of all seeds, and share of the right class",
                partial(
                    confusion.confusions,
                    [(f"{one.title}\n{one.split}", one.scopes[0]) for one in mine],
                ),
            ),
        ],
    )


def _data(mine: Sequence["Compared"]) -> str:
    said = {
        f"{one.label}: " + ", ".join(sorted(one.sources))
        for entry in mine
        for one in entry.scopes[0].classes
    }
    return "Held-out cells come from these sources. " + "; ".join(sorted(said)) + "."


def _dots(mine: Sequence["Compared"], labels: tuple[str, ...]) -> list[several.Dot]:
    printed = paper.table_for(labels)
    theirs = (
        [
            several.Dot(f"{row.network}, paper", paper.accuracy(printed, row), printed=True)
            for row in printed.rows
        ]
        if printed
        else []
    )
    ours = [
        several.Dot(
            _name(one),
            one.scopes[0].accuracy,
            leaks=bool(one.leak),
            each=[run.figures["accuracy"] for run in one.runs] if len(one.runs) > 1 else (),
        )
        for one in mine
    ]
    return [*theirs, *ours]


def _scopes(found: Sequence["Compared"]) -> Iterator[Section]:
    names = list(dict.fromkeys(scores.scope for one in found for scores in one.scopes))
    inside = [name for name in names if not name.startswith("outside")]
    outside = [name for name in names if name.startswith("outside")]
    yield Section(
        "Held-out cells, beside the border-only control",
        [tables.HEADLINE_NOTE],
        [_headline(name, found) for name in inside],
    )
    if outside:
        yield Section(
            "Sources never trained on, or left out",
            ["How far a model carries: to another laboratory, or to the source it was denied."],
            [_headline(name, found) for name in outside],
        )


def _headline(scope: str, found: Sequence["Compared"]) -> Table:
    lines = [_line(one, s) for one in found for s in one.scopes if s.scope == scope]
    return tables.headline(scope.capitalize(), "model", lines)


def _line(one: "Compared", scores: Scores) -> tables.Line:
    runs = f", {len(one.runs)} runs" if len(one.runs) > 1 else ""
    classes = "" if len(one.labels) == len(LABELS) else f", {' and '.join(one.labels)} only"
    weights = f", {origin(one.weights)}" if one.weights else ""
    detail = f"{one.split}{runs}{weights}{classes}"
    return tables.Line(Cell(one.title, detail), scores, _short(one.leak))


def _short(leak: str) -> str:
    return "leaks" if leak else ""


def _name(one: "Compared") -> str:
    return f"{one.title}, {one.split}"


def _spread(found: Sequence["Compared"]) -> Iterator[Section]:
    shown = [one for one in found if len(one.runs) > 1]
    if not shown:
        return
    names = {
        "accuracy": "accuracy",
        "balanced_accuracy": "balanced accuracy",
        "auroc_aml_normal": "AUROC, AML against Normal",
        "calibration_error": "ECE",
    }
    rows = [
        Row(
            (
                Cell(one.title, f"{one.split}, {len(one.runs)} runs"),
                *(tables.spread([run.figures[name] for run in one.runs]) for name in names),
            ),
            warning=_short(one.leak),
        )
        for one in shown
    ]
    note = (
        "Mean ± standard deviation, range below. On one split this is the chance of the training "
        "alone; between folds, or where each seed has its own split, that of the cells too."
    )
    yield Section(
        "Over seeds and folds",
        (),
        [Table("Held-out cells", ("model", *names.values()), rows, note)],
    )


def _pairs(comparison: "Comparison") -> Iterator[Section]:
    if not comparison.pairs:
        return
    leaks = {_name(one): one.leak for one in comparison.entries}
    yield Section(
        "Differences between models on the same cells",
        (),
        [
            Table(
                "The first model of each split against the others",
                (
                    "models",
                    "cells",
                    "accuracy, difference",
                    "only the first right",
                    "only the second right",
                    "McNemar's p",
                ),
                [_pair(pair, leaks.get(pair.first, "")) for pair in comparison.pairs],
                "Difference: first less second, mean over seeds, 95 % interval by a paired "
                "bootstrap over groups. McNemar: exact, two-sided, on the first seed, taking cells "
                "for independent; where many come from one patient, believe the bootstrap. "
                f"{len(comparison.pairs)} comparisons; p is not corrected for their number.",
            )
        ],
    )


def _pair(pair: Pair, leak: str) -> Row:
    test = pair.mcnemar
    return Row(
        (
            Cell(pair.first, f"against {pair.second}"),
            Cell(str(pair.cells), "; ".join(pair.seeds)),
            interval(pair.difference),
            str(test.only_first),
            str(test.only_second),
            "< 0.0001" if test.p < 0.0001 else figure(test.p, 4),
        ),
        warning=_short(leak),
    )


def _runs(found: Sequence["Compared"]) -> Section:
    rows = [
        Row(
            (Cell(one.title, one.split), run.name, one.weights or NOTHING, run.folder, run.command),
            warning=_short(one.leak),
        )
        for one in found
        for run in one.runs
    ]
    return Section(
        "The runs",
        (),
        [Table("How each was made", ("model", "run", "weights", "folder", "command"), rows)],
    )
