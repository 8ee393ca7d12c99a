"""Pixels of many cells, on disk or in memory, read by the row: memory follows what is asked."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Some: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.integer[Any]] | slice


class Store(Protocol):
    """Where pixels of cells lie."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N×variants×h×w×3."""
        ...

    def read(self, row: int, variant: int, into: npt.NDArray[np.uint8]) -> None:
        """Copy one variant of one cell into an array, uint8 h×w×3, contiguous."""
        ...


@dataclass(frozen=True)
class Held:
    """Pixels in memory."""

    pixels: npt.NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, ...]:
        """See `Store`."""
        return self.pixels.shape

    def read(self, row: int, variant: int, into: npt.NDArray[np.uint8]) -> None:
        """See `Store`."""
        into[...] = self.pixels[row, variant]


@dataclass(frozen=True)
class Filed:
    """Pixels in a file, one cell after the other.

    Read with `pread`: a mapped page counts as the program's memory until the kernel wants it back,
    which a memory limit on a container need not wait for.
    """

    path: Path
    file: int
    """Descriptor, open for as long as the program runs: the file may be deleted meanwhile."""
    shape: tuple[int, ...]

    @classmethod
    def open(cls, path: Path, shape: tuple[int, ...]) -> "Filed":
        """Open a file for reading.

        Raises:
            OSError: there is none.
        """
        return cls(path, os.open(path, os.O_RDONLY), shape)

    def read(self, row: int, variant: int, into: npt.NDArray[np.uint8]) -> None:
        """See `Store`."""
        place = (row * self.shape[1] + variant) * into.nbytes
        read = os.pread(self.file, into.nbytes, place)
        if len(read) != into.nbytes:
            raise OSError(f"{self.path} ends before cell {row}: delete its folder")
        into[...] = np.frombuffer(read, np.uint8).reshape(into.shape)


class Pixels:
    """N×variants×h×w×3, uint8, RGB: a view on rows of one or several stores.

    `pixels[rows]` is another view and reads nothing; `pixels[rows, variant]` reads: n×h×w×3 for
    one variant or for one a row. `np.asarray(pixels)` reads everything.
    """

    def __init__(self, stores: Sequence[Store], where: npt.NDArray[np.int64]) -> None:
        """See the class.

        Args:
            stores: of equal variants, height and width.
            where: N×2, number of the store and row in it.
        """
        self.stores = tuple(stores)
        self.where = where
        self._shape = stores[0].shape[1:]

    @classmethod
    def of(cls, store: Store) -> "Pixels":
        """All rows of a store."""
        count = store.shape[0]
        return cls((store,), np.stack([np.zeros(count, np.int64), np.arange(count)], axis=1))

    @classmethod
    def join(cls, several: Sequence["Pixels"]) -> "Pixels":
        """One view on several, in their order.

        Raises:
            ValueError: they differ in variants, height or width.
        """
        if len({one.shape[1:] for one in several}) != 1:
            raise ValueError(f"cells of different shapes: {[one.shape for one in several]}")
        stores: list[Store] = []
        where = []
        for one in several:
            where.append(one.where + np.array([len(stores), 0]))
            stores += one.stores
        return cls(stores, np.concatenate(where))

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """N, variants, height, width, 3."""
        variants, rows, columns, colours = self._shape
        return len(self.where), variants, rows, columns, colours

    def __len__(self) -> int:
        """How many cells."""
        return len(self.where)

    def __getitem__(self, asked: Any) -> Any:  # noqa: ANN401  # as numpy: the index decides
        """A view for rows; pixels for a pair of rows and variants. See the class."""
        if not isinstance(asked, tuple):
            return Pixels(self.stores, self.where[asked])
        rows, variants = asked
        if isinstance(rows, int | np.integer):
            return self._read(self.where[[int(rows)]], variants)[0]
        return self._read(self.where[rows], variants)

    def _read(
        self, where: npt.NDArray[np.int64], variants: npt.NDArray[np.integer[Any]] | int
    ) -> npt.NDArray[np.uint8]:
        found = np.empty((len(where), *self._shape[1:]), np.uint8)
        which = np.broadcast_to(np.asarray(variants), len(where))
        for into, (store, row), variant in zip(found, where.tolist(), which.tolist(), strict=True):
            self.stores[store].read(row, variant, into)
        return found

    def __array__(
        self, dtype: npt.DTypeLike | None = None, copy: bool | None = None
    ) -> npt.NDArray[np.uint8]:
        """All of them in memory: for few."""
        del copy  # it always is one
        every = [self._read(self.where, variant) for variant in range(self._shape[0])]
        return np.stack(every, axis=1).astype(dtype or np.uint8, copy=False)
