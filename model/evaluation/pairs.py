"""Two models on the same cells: exact McNemar, and a paired bootstrap over groups."""

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest

from model.evaluation.bootstrap import Draws, ratio
from model.evaluation.measures import Interval
from model.evaluation.predictions import Predictions


class McNemar(msgspec.Struct, frozen=True):
    """Cells that only one of two models got right, and the exact two-sided p."""

    only_first: int
    only_second: int
    p: float


class Pair(msgspec.Struct, frozen=True):
    """What differs between two models on the same cells."""

    first: str
    second: str
    cells: int
    """The same for both, counted once for each seed."""
    seeds: list[str]
    """Under which both were run."""
    mcnemar: McNemar
    """On the cells of the first of these seeds."""
    difference: Interval
    """Accuracy of the first less that of the second, mean over seeds, −1 to 1."""


def mcnemar(first: npt.NDArray[np.bool_], second: npt.NDArray[np.bool_]) -> McNemar:
    """McNemar's test in its exact form: a sign test on the cells where one of the two is right.

    It takes cells for independent. Where many come from one patient its p is too small; the
    paired bootstrap does not have that fault.

    Args:
        first: whether the first model is right, N.
        second: whether the second is, on the same N cells.
    """
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    differing = only_first + only_second
    p = float(binomtest(only_first, differing).pvalue) if differing else 1.0
    return McNemar(only_first, only_second, p)


def paired(
    names: tuple[str, str], runs: Sequence[tuple[str, Predictions, Predictions]]
) -> Pair | None:
    """Compare two models, each run under the same seeds.

    Args:
        names: of the two.
        runs: for each common seed its name and what the first and the second model said.

    Returns:
        None where there is no seed under which both judged the same cells.
    """
    aligned = [(seed, *_aligned(first, second)) for seed, first, second in runs]
    same = [entry for entry in aligned if len(entry[1])]
    if not same:
        return None
    _, first, second = same[0]
    rows = [(one.right, two.right, one.groups) for _, one, two in same]
    right, other, groups = (np.concatenate(column) for column in zip(*rows, strict=True))
    draws = Draws(groups, np.repeat(np.arange(len(same)), [len(one) for _, one, _ in same]))
    sums = np.stack([right.astype(float) - other, np.ones(len(right))], axis=1)
    return Pair(
        first=names[0],
        second=names[1],
        cells=len(right),
        seeds=[seed for seed, _, _ in same],
        mcnemar=mcnemar(first.right, second.right),
        difference=draws.figure(sums, lambda t: ratio(t[:, 0], t[:, 1])),
    )


def _aligned(first: Predictions, second: Predictions) -> tuple[Predictions, Predictions]:
    """The held-out cells in one order; none where the two did not judge the same."""
    one, two = (said.take(said.parts == "test") for said in (first, second))
    one, two = (said.take(np.argsort(said.keys, kind="stable")) for said in (one, two))
    if not np.array_equal(one.keys, two.keys):
        return one.take(np.zeros(len(one), bool)), two.take(np.zeros(len(two), bool))
    return one, two
