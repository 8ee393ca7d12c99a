"""Cells, whose pixels may lie on disk, and what a source of cells is."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from model.data.cutting import Cutter
from model.data.pixels import Held, Pixels, Rows

Advance = Callable[[int, int], None]
"""Called with how many are done and how many there will be."""

AT_ONCE: Final = 256


@dataclass(frozen=True)
class CellSet:
    """N white cells with where each comes from. Every field has N entries."""

    cells: Pixels
    """uint8, N×variants×h×w×3, RGB; variant 0 is what the cloud would cut. Given an array, it
    becomes a view on it."""
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

    def __post_init__(self) -> None:
        given: object = self.cells
        if not isinstance(given, Pixels):
            object.__setattr__(self, "cells", Pixels.of(Held(np.asarray(given))))

    def __len__(self) -> int:
        """How many cells."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[np.bool_]) -> "CellSet":
        """The cells where `chosen` (bool, N) is true. No pixel is read or copied."""
        return CellSet(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def batches(self, size: int = AT_ONCE) -> Iterator[tuple[Rows, npt.NDArray[np.uint8]]]:
        """Rows (int64, n) and their cells as the cloud would cut them (uint8, n×h×w×3)."""
        for start in range(0, len(self), size):
            rows = np.arange(start, min(start + size, len(self)))
            yield rows, self.cells[rows, 0]


@dataclass(frozen=True)
class OneCell:
    """One entry of a CellSet, before they are gathered."""

    cells: npt.NDArray[np.uint8]
    """uint8, variants×h×w×3, RGB."""
    label: int
    source: str
    group: str
    kind: str
    key: str
    origin: str


class CellSource(Protocol):
    """Where cells come from. One file of this package per kind of source."""

    def cells(self, cutter: Cutter, advance: Advance) -> Iterator[OneCell]:
        """Read, find, cut; one cell after the other, always in the same order.

        Raises:
            ModelError: something named in the source cannot be read.
        """
        ...

    def fingerprint(self) -> Iterator[str]:
        """Lines that change when its cells would: what was typed, and files with size and time.

        Raises:
            ModelError: as `cells`.
        """
        ...


def join(sets: Sequence[CellSet]) -> CellSet:
    """One CellSet of several, in their order. No pixel is read or copied."""
    columns = {
        f.name: np.concatenate([getattr(s, f.name) for s in sets])
        for f in fields(CellSet)
        if f.name != "cells"
    }
    return CellSet(Pixels.join([s.cells for s in sets]), **columns)


def digest(cells: CellSet, parts: Iterable[str]) -> str:
    """SHA-256 over every cell's name, picture, label and part: the same data, the same digest."""
    lines = sorted(
        f"{key}\t{origin}\t{label}\t{part}"
        for key, origin, label, part in zip(
            cells.keys, cells.origins, cells.labels, parts, strict=True
        )
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
