"""Accuracy by source and kind of cell, and by patient, slide or parent image."""

import msgspec
import numpy as np
import numpy.typing as npt

from model.evaluation.measures import Interval, wilson
from model.evaluation.scores import Sample
from model.labels import LABELS


class Row(msgspec.Struct, frozen=True):
    """A part of the cells."""

    source: str
    name: str
    label: str
    """The class, or several joined by a plus sign."""
    cells: int
    groups: int
    right: int
    accuracy: Interval


def by_kind(sample: Sample) -> list[Row]:
    """A row for each source, class and kind of cell."""
    said = sample.predictions
    names = np.stack([said.sources, np.array(LABELS)[said.labels], said.kinds], axis=1)
    found = []
    for name in np.unique(names, axis=0):
        part = sample.take((names == name).all(axis=1))
        accuracy = part.draws.share(part.predictions.right, np.ones(len(part.predictions), bool))
        found.append(_row(part, str(name[2]), accuracy))
    return found


def by_group(sample: Sample, least: int = 2) -> list[Row]:
    """A row for each group of at least so many cells, the worst first.

    Inside one patient the cells are the trials: the interval is Wilson's.
    """
    names, counts = np.unique(sample.predictions.groups, return_counts=True)
    rows = [_of_group(sample, name) for name in names[counts >= least]]
    return sorted(rows, key=lambda row: (row.accuracy.value, -row.cells, row.name))


def _of_group(sample: Sample, name: np.str_) -> Row:
    of_group: npt.NDArray[np.bool_] = sample.predictions.groups == name
    part = sample.take(of_group)
    accuracy = wilson(int(part.predictions.right.sum()), len(part.predictions))
    return _row(part, str(name), accuracy)


def _row(part: Sample, name: str, accuracy: Interval) -> Row:
    said = part.predictions
    return Row(
        source=str(said.sources[0]),
        name=name,
        label="+".join(LABELS[label] for label in np.unique(said.labels)),
        cells=len(said),
        groups=len(np.unique(said.groups)),
        right=int(said.right.sum()),
        accuracy=accuracy,
    )
