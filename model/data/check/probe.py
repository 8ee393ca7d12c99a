"""The border probe: what a linear model knows of the class without seeing the cell."""

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from imaging.types import Cells
from model.data.cells import CellSet
from model.data.check.findings import Probe
from model.evaluation.bootstrap import Draws, mean, ratio
from model.evaluation.border import border
from model.evaluation.measures import Classes, Numbers
from model.labels import LABELS, UNKNOWN

POOLED: Final = "pooled"

SIDE: Final = 28
"""Cells are made this small first: a border of three pixels is then a ninth of the cut."""

FOLDS: Final = 5
AT_MOST: Final = 4000


def probes(cells: CellSet, seed: int) -> list[Probe]:
    """Within each source that shows two classes, and over all sources together.

    Guesses come from models fitted on other groups (stratified, five folds, or as many as the
    rarest class has groups); a class with fewer than two groups is left out.
    """
    known = cells.take(cells.labels != UNKNOWN)
    found = [_probe(POOLED, known, seed)]
    found += [
        _probe(str(source), known.take(known.sources == source), seed)
        for source in np.unique(known.sources)
    ]
    return [one for one in found if one is not None]


def _probe(name: str, cells: CellSet, seed: int) -> Probe | None:
    cells = _enough(cells, seed)
    groups = [len(set(cells.groups[cells.labels == n].tolist())) for n in np.unique(cells.labels)]
    if len(groups) < 2:
        return None
    seen = np.concatenate([border(_small(pixels)) for _, pixels in cells.batches()])
    guesses = _guessed(seen, cells, min(FOLDS, *groups), seed)
    hits = guesses == cells.labels
    of = np.stack([cells.labels == n for n in np.unique(cells.labels)], axis=1)
    sums = np.concatenate([of & hits[:, None], of], axis=1).astype(float)
    found = Draws(cells.groups, np.zeros(len(cells), np.int64)).figure(sums, _recall)
    return Probe(
        source=name,
        balanced_accuracy=round(found.value, 4),
        low=round(found.low, 4),
        high=round(found.high, 4),
        chance=round(1 / len(groups), 4),
        cells=len(cells),
        groups=len(set(cells.groups.tolist())),
    )


def _guessed(seen: Numbers, cells: CellSet, folds: int, seed: int) -> Classes:
    guesses = np.full(len(cells), UNKNOWN)
    for train, test in _folds(seen, cells, folds, seed):
        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=0.01, max_iter=300, class_weight="balanced")
        )
        model.fit(seen[train], cells.labels[train])
        guesses[test] = model.predict(seen[test])
    return guesses


def _folds(
    seen: Numbers, cells: CellSet, folds: int, seed: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Folds whose training side has two classes: with few groups some have not."""
    cut = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    for train, test in cut.split(seen, cells.labels, cells.groups):
        if len(np.unique(cells.labels[train])) > 1:
            yield train, test


def _enough(cells: CellSet, seed: int) -> CellSet:
    """Classes with two groups or more, and of many cells as many as change anything."""
    classes = [
        n for n in np.unique(cells.labels) if len(set(cells.groups[cells.labels == n].tolist())) > 1
    ]
    cells = cells.take(np.isin(cells.labels, classes))
    kept = np.zeros(len(cells), np.bool_)
    kept[np.random.default_rng(seed).permutation(len(cells))[:AT_MOST]] = True
    return cells.take(kept)


def _recall(totals: Numbers) -> Numbers:
    """Mean over classes of hits to cells; totals are draws×(hits of each class, cells of each)."""
    hits, of = np.split(totals, 2, axis=1)
    return mean(ratio(hits, of).T)


def _small(cells: Cells) -> Cells:
    return np.stack([cv2.resize(c, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for c in cells])


def labels_of(cells: CellSet) -> list[str]:
    """Names of the classes of cells; `unlabelled` where there is none."""
    return [LABELS[n] if n != UNKNOWN else "unlabelled" for n in cells.labels.tolist()]
