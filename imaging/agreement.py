"""How well found boxes agree with true ones."""

from collections.abc import Sequence
from typing import NamedTuple

from imaging.box import Box, overlap


class Agreement(NamedTuple):
    """Counts of a one-to-one matching, and the overlap (0 to 1) of each matched pair."""

    found: int
    true: int
    overlaps: tuple[float, ...]

    @property
    def recall(self) -> float:
        """Part of the true boxes that were found; 1 where there are none."""
        return len(self.overlaps) / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        """Part of the found boxes that are true; 1 where nothing was found."""
        return len(self.overlaps) / self.found if self.found else 1.0


def agree(found: Sequence[Box], true: Sequence[Box], least: float = 0.5) -> Agreement:
    """Match boxes one to one, greedily, the best overlap first (as PASCAL VOC does by score).

    Args:
        found: by a finder.
        true: by annotation.
        least: intersection over union from which two boxes match.
    """
    pairs = sorted(
        ((overlap(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true)),
        reverse=True,
    )
    taken_found: set[int] = set()
    taken_true: set[int] = set()
    overlaps = []
    for value, i, j in pairs:
        if value >= least and i not in taken_found and j not in taken_true:
            taken_found.add(i)
            taken_true.add(j)
            overlaps.append(value)
    return Agreement(len(found), len(true), tuple(overlaps))


def total(parts: Sequence[Agreement]) -> Agreement:
    """Agreements of many fields added up."""
    overlaps = tuple(value for part in parts for value in part.overlaps)
    return Agreement(sum(p.found for p in parts), sum(p.true for p in parts), overlaps)
