"""Several runs beside each other and beside the paper: measured and written."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from model.evaluation.entries import Entry, entries, pairs, trial
from model.evaluation.pairs import Pair
from model.evaluation.render import write
from model.evaluation.runs import read_run
from model.evaluation.scopes import scopes
from model.evaluation.scores import Sample, Scores, score
from model.labels import LABELS

SPREAD = ("accuracy", "balanced_accuracy", "auroc_aml_normal", "calibration_error")
"""Figures shown by seed."""


class Trial(msgspec.Struct, frozen=True):
    """One run of an entry: its figures on the headline scope, for the spread over seeds."""

    name: str
    folder: str
    command: str
    figures: dict[str, float]


class Compared(msgspec.Struct, frozen=True):
    """One model on one kind of split."""

    title: str
    split: str
    weights: str
    leak: str
    labels: list[str]
    runs: list[Trial]
    scopes: list[Scores]
    """The first is the headline. Of all runs together: mean over runs, intervals by group."""


class Comparison(msgspec.Struct, frozen=True):
    """What `report.json` holds. An interval is value, low, high; null is no value."""

    title: str
    entries: list[Compared]
    pairs: list[Pair]


def compare_runs(runs: Sequence[Path], out: Path, title: str) -> Comparison:
    """Write a comparison of finished runs: report.md, report.html, report.json and PNG files.

    Runs of one title and split that differ in seed or fold become one entry. No cell is shown, so
    that the report may be published whatever the terms of the data.

    Args:
        runs: their folders, the one that the others are tested against first.
        out: folder for the report.
        title: of the report.

    Returns:
        The figures.

    Raises:
        ModelError: a folder is no finished run, or a file of it is damaged.
    """
    from model.evaluation.compare_page import page

    found = entries([read_run(run) for run in runs])
    comparison = Comparison(title, [_measured(entry) for entry in found], pairs(found))
    write(page(comparison), comparison, out)
    return comparison


def _measured(entry: Entry) -> Compared:
    return Compared(
        title=entry.title,
        split=entry.split,
        weights=entry.weights,
        leak=entry.leak,
        labels=[LABELS[label] for label in entry.known],
        runs=list(_trials(entry)),
        scopes=list(_scores(entry, entry.sample)),
    )


def _trials(entry: Entry) -> Iterator[Trial]:
    for run in entry.runs:
        headline = next(_scores(entry, Sample.of([run.predictions])))  # lazily: the first alone
        yield Trial(
            name=trial(run),
            folder=run.folder.name,
            command=str(run.facts.get("command", "")),
            figures={name: getattr(headline, name).value for name in SPREAD},
        )


def _scores(entry: Entry, sample: Sample) -> Iterator[Scores]:
    for scope in scopes(sample.predictions):
        yield score(scope.name, sample.take(scope.rows), entry.known)
