"""Figures and their intervals."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, rankdata

Numbers = npt.NDArray[np.float64]
Classes = npt.NDArray[np.int64]

RESAMPLES: Final = 1000


class Interval(NamedTuple):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, n: int) -> Interval:
    """A proportion with Wilson's score interval (Wilson 1927).

    Raises:
        ValueError: n is 0: nothing was measured.
    """
    if n < 1:
        raise ValueError("a proportion of nothing has no value")
    low, high = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    share = hits / n
    # Rounding may put a bound of 0 or 1 a hair beyond the share.
    return Interval(share, min(share, float(low)), max(share, float(high)))


def by_groups(
    figure: Callable[[npt.NDArray[np.intp]], float], groups: npt.NDArray[np.str_], seed: int = 0
) -> Interval:
    """A figure with a bootstrap interval that draws whole groups (percentile, 95 %).

    Cells of one patient resemble each other: drawing cells one by one would promise too much.

    Args:
        figure: of the cells at given indices; NaN where it has no value.
        groups: of each of the N cells.
        seed: of the draws.
    """
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    draw = np.random.default_rng(seed)
    values = [
        figure(np.concatenate([members[i] for i in draw.integers(0, len(members), len(members))]))
        for _ in range(RESAMPLES)
    ]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    value = figure(np.arange(len(groups)))
    return Interval(value, min(value, float(low)), max(value, float(high)))


def balanced_accuracy(wanted: Classes, given: Classes) -> float:
    """Mean recall over the classes that are there; NaN where there is but one."""
    classes = np.unique(wanted)
    if len(classes) < 2:
        return float("nan")
    return float(np.mean([np.mean(given[wanted == label] == label) for label in classes]))


def auroc(positive: npt.NDArray[np.bool_], score: Numbers) -> float:
    """Area under the ROC curve: chance that a positive scores above a negative; ties half."""
    ranks = rankdata(score)
    n = int(positive.sum())
    others = len(positive) - n
    if not n or not others:
        return float("nan")
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * others))


def calibration_error(right: npt.NDArray[np.bool_], confidence: Numbers, bins: int = 15) -> float:
    """Expected calibration error over equally wide bins (Guo et al. 2017), 0 to 1."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[place == b].mean() - confidence[place == b].mean()) * np.mean(place == b)
        for b in np.unique(place)
    ]
    return float(np.sum(gaps))
