"""Train, validation, test: by group, so that nobody's cells lie on two sides."""

import re
from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from model.data.cells import CellSet
from model.errors import ModelError
from model.labels import UNKNOWN

Part = Literal["train", "validation", "test", "outside", "unlabelled"]

PARTS: Final = ("train", "validation", "test", "outside", "unlabelled")

OUTSIDE: Final = frozenset({"lmu", "cnmc"})
"""Sources never trained on: another laboratory, and too few cut-out cells to learn from."""

TEST_SHARE: Final = 0.25
VALIDATION_SHARE: Final = 0.15
RANDOM_SHARE: Final = 0.2
"""Of the paper's random split."""

RANDOM: Final = "random"
KFOLD: Final = re.compile(r"kfold:(\d+)/(\d+)")
LEAVE_OUT: Final = "leave-out:"


class Sides(NamedTuple):
    """Groups of one stratum: the rest is trained on."""

    test: npt.NDArray[np.str_]
    validation: npt.NDArray[np.str_]


def split(
    cells: CellSet, seed: int, leave_out: tuple[str, ...] = (), how: str = "group"
) -> npt.NDArray[np.str_]:
    """Give each cell its part.

    Groups of one source and one commonest label are shuffled together, so that every part sees
    each source and class. Cells without a label train the source head; sources in `leave_out`
    and `OUTSIDE` are looked at only in the end.

    Args:
        cells: N of them.
        seed: of the shuffling; the groups' names and this decide everything.
        leave_out: further sources for `outside`.
        how: `group` holds out a quarter of the groups; `kfold:I/K` fold I of K; `leave-out:SOURCE`
            all of a source; `random` a fifth of the cells, whoever they are of, as the paper does.

    Returns:
        N parts. No group lies in two of `train`, `validation` and `test`, unless `random`.

    Raises:
        ModelError: `how` is none of these, or names a source that the cells do not have.
    """
    outside = np.isin(cells.sources, [*(OUTSIDE - {left_out(how)}), *leave_out])
    if how == RANDOM:
        parts = _random(cells, (cells.labels != UNKNOWN) & ~outside, seed)
    else:
        parts = _grouped(cells, seed, how)
    parts[cells.labels == UNKNOWN] = "unlabelled"
    parts[outside] = "outside"
    return parts


def left_out(how: str) -> str:
    """The source of `leave-out:SOURCE`; empty for other splits."""
    return how.removeprefix(LEAVE_OUT) if how.startswith(LEAVE_OUT) else ""


def _random(cells: CellSet, wanted: npt.NDArray[np.bool_], seed: int) -> npt.NDArray[np.str_]:
    parts = np.full(len(cells), "train", dtype="<U16")
    rows = np.flatnonzero(wanted)
    rows = rows[np.argsort(cells.keys[rows], kind="stable")]
    shuffled = np.random.default_rng([seed, 0]).permutation(rows)
    test = round(RANDOM_SHARE * len(rows))
    parts[shuffled[:test]] = "test"
    parts[shuffled[test : test + round(VALIDATION_SHARE * len(rows))]] = "validation"
    return parts


def _grouped(cells: CellSet, seed: int, how: str) -> npt.NDArray[np.str_]:
    parts = np.full(len(cells), "train", dtype="<U16")
    for number, stratum in enumerate(_strata(cells)):
        shuffled = np.random.default_rng([seed, number]).permutation(np.array(stratum))
        sides = _sides(shuffled, how)
        parts[np.isin(cells.groups, sides.test)] = "test"
        parts[np.isin(cells.groups, sides.validation)] = "validation"
    if source := left_out(how):
        if source not in cells.sources:
            known = ", ".join(sorted(set(cells.sources.tolist())))
            raise ModelError(f"--split {how}: no cell is of {source}; there are {known}")
        parts[np.isin(cells.groups, cells.groups[cells.sources == source])] = "test"
    return parts


def _sides(shuffled: npt.NDArray[np.str_], how: str) -> Sides:
    """Which groups of a stratum are held out."""
    validation = _count(VALIDATION_SHARE, shuffled)
    if how == "group":
        test = _count(TEST_SHARE, shuffled)
        return Sides(shuffled[:test], shuffled[test : test + validation])
    if left_out(how):
        return Sides(shuffled[:0], shuffled[:validation])
    fold, folds = _fold(how)
    held_out = np.arange(len(shuffled)) % folds == fold - 1
    return Sides(shuffled[held_out], shuffled[~held_out][:validation])


def _fold(how: str) -> tuple[int, int]:
    found = KFOLD.fullmatch(how)
    if not found:
        raise ModelError(
            f"--split {how} is not known: write group, kfold:I/K, leave-out:SOURCE, random, or the "
            "name of a file such as split.csv"
        )
    fold, folds = int(found[1]), int(found[2])
    if not (1 <= fold <= folds and folds >= 2):
        raise ModelError(f"--split {how}: I of kfold:I/K goes from 1 to K, and K from 2")
    return fold, folds


def _count(share: float, shuffled: Sequence[str] | npt.NDArray[np.str_]) -> int:
    """Groups that are a share of a stratum; at least one where there are three."""
    return max(round(share * len(shuffled)), int(len(shuffled) >= 3))


def _strata(cells: CellSet) -> list[list[str]]:
    """Groups by the source and the commonest label of each, every list and all of them sorted."""
    strata: dict[tuple[str, int], list[str]] = {}
    names, first, inverse = np.unique(cells.groups, return_index=True, return_inverse=True)
    kinds = np.unique(cells.labels)
    counts = np.stack(
        [np.bincount(inverse, cells.labels == kind, len(names)) for kind in kinds], axis=1
    )
    for number, name in enumerate(names):
        commonest = int(kinds[counts[number].argmax()])
        strata.setdefault((str(cells.sources[first[number]]), commonest), []).append(str(name))
    return [strata[key] for key in sorted(strata)]
