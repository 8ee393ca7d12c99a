"""Train, validation, test: by group, so that nobody's cells lie on two sides."""

from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from model.data.cells import CellSet
from model.labels import UNKNOWN

Part = Literal["train", "validation", "test", "outside", "unlabelled"]

OUTSIDE: Final = frozenset({"lmu", "cnmc"})
"""Sources never trained on: another laboratory, and too few cut-out cells to learn from."""

TEST_SHARE: Final = 0.25
VALIDATION_SHARE: Final = 0.15


def split(cells: CellSet, seed: int, leave_out: tuple[str, ...] = ()) -> npt.NDArray[np.str_]:
    """Give each cell its part.

    Groups of one source and one commonest label are shuffled together, so that every part sees
    each source and class. Cells without a label train the source head; sources in `leave_out`
    and `OUTSIDE` are looked at only in the end.

    Args:
        cells: N of them.
        seed: of the shuffling; the groups' names and this decide everything.
        leave_out: further sources for `outside`.

    Returns:
        N parts. No group lies in two of `train`, `validation` and `test`.
    """
    parts = np.full(len(cells), "train", dtype="<U16")
    for number, stratum in enumerate(_strata(cells)):
        shuffled = np.random.default_rng([seed, number]).permutation(np.array(stratum))
        test = round(TEST_SHARE * len(shuffled))
        validation = round(VALIDATION_SHARE * len(shuffled))
        parts[np.isin(cells.groups, shuffled[:test])] = "test"
        parts[np.isin(cells.groups, shuffled[test : test + validation])] = "validation"
    parts[cells.labels == UNKNOWN] = "unlabelled"
    parts[np.isin(cells.sources, [*OUTSIDE, *leave_out])] = "outside"
    return parts


def _strata(cells: CellSet) -> list[list[str]]:
    strata: dict[tuple[str, int], list[str]] = {}
    for group in np.unique(cells.groups):
        inside = cells.groups == group
        numbers, counts = np.unique(cells.labels[inside], return_counts=True)
        commonest = int(numbers[counts.argmax()])
        strata.setdefault((str(cells.sources[inside][0]), commonest), []).append(str(group))
    return [strata[key] for key in sorted(strata)]
