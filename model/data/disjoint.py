"""Nobody's cells, and no picture or its near-duplicate, on two sides of a split."""

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from model.data.cells import CellSet
from model.errors import ModelError

SIDES: Final = {"train": 0, "unlabelled": 0, "validation": 1, "outside": 2, "test": 2}
"""Learned from, chosen by, measured on."""

FIRST: Final = ("test", "outside", "validation")
"""What ties pull a cell to, first wins."""

Pairs = npt.NDArray[np.int64]
Parts = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Crossings:
    """What lies on two sides: how many, and one of them."""

    groups: int = 0
    pictures: int = 0
    near_duplicates: int = 0
    example: str = ""

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return bool(self.groups or self.pictures or self.near_duplicates)

    def __str__(self) -> str:
        facts = asdict(self)
        said = [f"{facts[name]} {name.replace('_', ' ')}" for name in list(facts)[:3]]
        return f"{', '.join(said)} lie on two sides of the split" + (
            f", such as {self.example}" if self.example else ""
        )


NOTHING: Final = Crossings()


def keep_together(cells: CellSet, parts: Parts, alike: Pairs) -> npt.NDArray[np.str_]:
    """Parts in which groups that share a picture, or nearly, lie on one side.

    Cells that others are measured on never move: the rest of their unit comes to them, out of what
    is trained on or chosen by. So what was held out before duplicates were looked for stays so.

    Args:
        cells: N of them.
        parts: of each, by group.
        alike: M×2 rows that look nearly the same.

    Returns:
        N parts.
    """
    unit = _units(cells, alike)
    sides = np.array([SIDES[part] for part in parts])
    highest = np.zeros(unit.max() + 1, np.int64)
    np.maximum.at(highest, unit, sides)
    moved = parts.copy()
    for part in reversed(FIRST):
        pulls = np.unique(unit[parts == part])
        moved[np.isin(unit, pulls) & (sides < highest[unit]) & (SIDES[part] == highest[unit])] = (
            part
        )
    return moved


def crossings(cells: CellSet, parts: Parts, alike: Pairs) -> Crossings:
    """What lies on two sides of a split."""
    sides = np.array([SIDES[part] for part in parts])
    groups = _on_two(cells.groups, sides)
    pictures = _on_two(cells.origins, sides)
    pairs = alike[sides[alike[:, 0]] != sides[alike[:, 1]]]
    example = ""
    if len(groups):
        example = str(groups[0])
    elif len(pictures):
        example = " and ".join(cells.keys[cells.origins == pictures[0]][:2].tolist())
    elif len(pairs):
        example = " and ".join(cells.keys[pairs[0]].tolist())
    return Crossings(len(groups), len(pictures), len(pairs), example)


def assert_disjoint(cells: CellSet, parts: Parts, alike: Pairs) -> None:
    """Refuse a split that leaks.

    Raises:
        ModelError: a group, a picture or near-duplicates lie on two sides.
    """
    found = crossings(cells, parts, alike)
    if found.any:
        raise ModelError(
            f"{found}. Give leaky:FILE.csv to measure on such a split all the same; it will be "
            "named as one that leaks"
        )


def _units(cells: CellSet, alike: Pairs) -> npt.NDArray[np.int64]:
    """For each cell the number of its unit: groups tied by equal or nearly equal pictures."""
    _, group = np.unique(cells.groups, return_inverse=True)
    _, first, picture = np.unique(cells.origins, return_index=True, return_inverse=True)
    same = np.stack([np.arange(len(cells)), first[picture]], axis=1)
    ties = group[np.concatenate([same, alike])]
    count = int(group.max()) + 1
    graph = coo_array((np.ones(len(ties)), (ties[:, 0], ties[:, 1])), (count, count))
    unit: npt.NDArray[np.int64] = connected_components(graph, directed=False)[1][group]
    return unit


def _on_two(names: npt.NDArray[np.str_], sides: npt.NDArray[np.int64]) -> npt.NDArray[np.str_]:
    """Names of which there are cells on two sides."""
    known, number = np.unique(names, return_inverse=True)
    low, high = np.full(len(known), 9), np.full(len(known), -1)
    np.minimum.at(low, number, sides)
    np.maximum.at(high, number, sides)
    two: npt.NDArray[np.str_] = known[low != high]
    return two
