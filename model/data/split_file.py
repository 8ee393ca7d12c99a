"""A split as a file: written with every run, and given back by `--split FILE.csv`."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from model.data.cells import CellSet
from model.data.split import PARTS
from model.errors import ModelError

COLUMNS: Final = ("key", "source", "group", "kind", "label", "part")


def rows(cells: CellSet, parts: npt.NDArray[np.str_]) -> Iterator[tuple[str, ...]]:
    """A row for each cell, under COLUMNS; the label is its number."""
    columns = (cells.keys, cells.sources, cells.groups, cells.kinds, cells.labels, parts)
    for row in zip(*(column.tolist() for column in columns), strict=True):
        yield tuple(str(value) for value in row)


def split_digest(cells: CellSet, parts: npt.NDArray[np.str_]) -> str:
    """SHA-256 over the sorted rows, joined by tabs: the same split, the same digest."""
    lines = sorted("\t".join(row) for row in rows(cells, parts))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_split(path: Path, cells: CellSet) -> npt.NDArray[np.str_]:
    """The part of each cell by a file with the columns `key` and `part`.

    Raises:
        ModelError: it cannot be read, or is of other cells.
    """
    part = _read(path)
    keys = set(cells.keys.tolist())
    for told, names in (("not in the data", part.keys() - keys), ("not in it", keys - part.keys())):
        if names:
            raise ModelError(
                f"{path} is the split of other data: {len(names)} cells are {told}, such as "
                f"{min(names)}. Give the same --data, --simulator and cut as then"
            )
    return np.array([part[key] for key in cells.keys.tolist()], dtype="<U16")


def _read(path: Path) -> dict[str, str]:
    part: dict[str, str] = {}
    try:
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            if missing := {"key", "part"} - set(reader.fieldnames or ()):
                raise ModelError(f"{path} lacks the columns {', '.join(sorted(missing))}")
            for row in reader:
                where = f"{path} line {reader.line_num}"
                if row["part"] not in PARTS:
                    raise ModelError(f"{where}: {row['part']!r} is not one of {', '.join(PARTS)}")
                if row["key"] in part:
                    raise ModelError(f"{where}: {row['key']} comes twice")
                part[row["key"]] = row["part"]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ModelError(f"cannot read the split {path}: {error}") from error
    return part
