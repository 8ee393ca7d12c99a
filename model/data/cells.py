"""Cells in memory, and what a source of cells is."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from model.data.cutting import Cutter

Advance = Callable[[int, int], None]
"""Called with how many are done and how many there will be."""


@dataclass(frozen=True)
class CellSet:
    """N white cells with where each comes from. Every field has N entries."""

    cells: npt.NDArray[np.uint8]
    """uint8, N×variants×h×w×3, RGB; variant 0 is what the cloud would cut."""
    labels: npt.NDArray[np.int64]
    """Index into LABELS, or UNKNOWN."""
    sources: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    """Patient, slide or image: what must not lie on two sides of a split."""
    kinds: npt.NDArray[np.str_]
    """Cell type, such as `neutrophil`."""
    keys: npt.NDArray[np.str_]
    """Unique name of the cell."""
    origins: npt.NDArray[np.str_]
    """SHA-256 of the picture it was cut from."""

    def __len__(self) -> int:
        """How many cells."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "CellSet":
        """The cells where `chosen` (bool, N) is true."""
        return CellSet(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})


@dataclass(frozen=True)
class OneCell:
    """One entry of a CellSet, before they are stacked."""

    cells: npt.NDArray[np.uint8]
    label: int
    source: str
    group: str
    kind: str
    key: str
    origin: str


class CellSource(Protocol):
    """Where cells come from. One file of this package per kind of source."""

    def load(self, cutter: Cutter, advance: Advance) -> CellSet:
        """Read, find, cut.

        Raises:
            ModelError: something named in the source cannot be read.
        """
        ...


def stack(cells: Sequence[OneCell]) -> CellSet:
    """Make a CellSet of at least one cell."""

    def column(name: str) -> npt.NDArray[Any]:
        return np.array([getattr(cell, name) for cell in cells])

    return CellSet(
        cells=np.stack([cell.cells for cell in cells]),
        labels=column("label").astype(np.int64),
        sources=column("source"),
        groups=column("group"),
        kinds=column("kind"),
        keys=column("key"),
        origins=column("origin"),
    )


def join(sets: Sequence[CellSet]) -> CellSet:
    """One CellSet of several, in their order."""
    return CellSet(
        **{f.name: np.concatenate([getattr(s, f.name) for s in sets]) for f in fields(CellSet)}
    )


def digest(cells: CellSet, parts: Iterable[str]) -> str:
    """SHA-256 over every cell's name, picture, label and part: the same data, the same digest."""
    lines = sorted(
        f"{key}\t{origin}\t{label}\t{part}"
        for key, origin, label, part in zip(
            cells.keys, cells.origins, cells.labels, parts, strict=True
        )
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
