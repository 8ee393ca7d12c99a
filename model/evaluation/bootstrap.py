"""A bootstrap that draws whole groups, for many figures at once.

Cells of one patient resemble each other: drawing cells one by one would promise too much. Figures
that are made of sums (shares, confusion matrices) need each group's sums only, so that a thousand
draws are one product of matrices; scikit-learn's figures would have to be called a thousand times.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.evaluation.measures import RESAMPLES, Classes, Interval, Numbers, wilson

BLOCK: Final = 100
"""Draws for which a weight for each cell is held at a time."""

Mask = npt.NDArray[np.bool_]


class Draws:
    """How often each group came up: row 0 once each (what was measured), then the draws.

    Cells of several runs (seeds, folds) may lie in one: every figure is then the mean over the
    runs of the figure of each, and a group that is drawn is drawn with the cells of all runs.
    """

    def __init__(self, groups: npt.NDArray[np.str_], runs: Classes, seed: int = 0) -> None:
        """See the class.

        Args:
            groups: of each of N cells.
            runs: which run judged it, N.
            seed: of the draws.
        """
        names, self._place = np.unique(groups, return_inverse=True)
        self._runs = [np.flatnonzero(runs == number) for number in np.unique(runs)]
        self.count = len(names)
        """Groups."""
        self.independent = self.count == len(groups)
        """No two cells share a group: shares of cells have Wilson's interval."""
        drawn = np.random.default_rng(seed).multinomial(
            self.count, np.full(self.count, 1 / self.count), RESAMPLES
        )
        self._times = np.vstack([np.ones(self.count), drawn])

    def share(self, hits: Mask, of: Mask) -> Interval:
        """Share of the cells in `of` that are hits, N each; NaN where there are none."""
        if self.independent:
            n = int(of.sum())
            return wilson(int((hits & of).sum()), n) if n else Interval(*[float("nan")] * 3)
        sums = np.stack([hits & of, of], axis=1).astype(float)
        return self.figure(sums, lambda totals: ratio(totals[:, 0], totals[:, 1]), of)

    def figure(
        self, values: Numbers, formula: Callable[[Numbers], Numbers], of: Mask | None = None
    ) -> Interval:
        """A figure made of sums of values over cells.

        Args:
            values: N×…
            formula: from sums, draws×…, to the figure of each draw.
            of: the cells it is about, where not all; N.
        """
        found = [formula(self._totals(values[rows], rows)) for rows in self._runs]
        return self._interval(found, of)

    def auroc(self, positive: Mask, score: Numbers) -> Interval:
        """Area under the ROC curve, positive and score N each; ties count half."""
        found = [
            np.concatenate(
                [
                    _weighted_auroc(positive[rows], score[rows], times[:, self._place[rows]])
                    for times in np.array_split(self._times, 1 + len(self._times) // BLOCK)
                ]
            )
            for rows in self._runs
        ]
        return self._interval(found, None)

    def _totals(self, values: npt.NDArray[Any], rows: npt.NDArray[np.intp]) -> Numbers:
        by_group = np.zeros((self.count, *values.shape[1:]))
        np.add.at(by_group, self._place[rows], values)
        totals: Numbers = np.tensordot(self._times, by_group, axes=1)
        return totals

    def _interval(self, found: list[Numbers], of: Mask | None) -> Interval:
        """Of the mean over runs.

        Where all is right in every draw the draws would promise certainty: Wilson's interval, with
        a group for a trial, does not.
        """
        value = interval(mean(np.stack(found)))
        if value.low < value.high or value.value not in (0.0, 1.0):
            return value
        groups = self.count if of is None else len(np.unique(self._place[of]))
        return wilson(round(value.value * groups), groups)


def interval(values: Numbers) -> Interval:
    """The first value, and what holds 95 % of the others (NaN left out)."""
    others = values[1:][~np.isnan(values[1:])]
    first = float(values[0])
    if np.isnan(first) or not len(others):
        return Interval(first, float("nan"), float("nan"))
    low, high = np.percentile(others, [2.5, 97.5])
    return Interval(first, min(first, float(low)), max(first, float(high)))


def ratio(upper: Numbers, lower: Numbers) -> Numbers:
    """Elementwise quotient; NaN where the divisor is 0."""
    found: Numbers = np.divide(upper, lower, out=np.full(upper.shape, np.nan), where=lower > 0)
    return found


def mean(values: Numbers) -> Numbers:
    """Over the first axis, NaN left out; NaN where there is nothing else."""
    there = ~np.isnan(values)
    return ratio(np.where(there, values, 0).sum(axis=0), there.sum(axis=0).astype(float))


def _weighted_auroc(positive: Mask, score: Numbers, weights: Numbers) -> Numbers:
    """For each row of draws×N weights, the chance that a positive scores above a negative."""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.diff(score[order], prepend=-np.inf))
    ordered = weights[:, order]
    up = np.add.reduceat(ordered * positive[order], starts, axis=1)
    down = np.add.reduceat(ordered * ~positive[order], starts, axis=1)
    below = np.cumsum(down, axis=1) - down / 2
    return ratio((up * below).sum(axis=1), up.sum(axis=1) * down.sum(axis=1))
