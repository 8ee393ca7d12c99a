"""Real cells named by a CSV: path, source, patient, cell_type, diagnosis, label."""

import csv
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from imaging.types import Image
from model import labels
from model.data.cells import Advance, CellSet, OneCell, stack
from model.data.cutting import Cutter, opened
from model.data.finding import all_boxes, central_box
from model.errors import ModelError

COLUMNS: Final = ("path", "source", "patient", "cell_type", "label")

FIELD: Final = "field"
"""`cell_type` of a picture with any number of cells; their labels are unknown."""

NOT_WHITE: Final = frozenset({"platelet"})
"""Kinds in the index that the model is never shown, as the finder should never cut them."""


@dataclass(frozen=True)
class IndexSource:
    """Pictures with one white cell in the middle, and whole fields without labels."""

    path: Path
    threads: int = 2

    def load(self, cutter: Cutter, advance: Advance) -> CellSet:
        """Read every picture of the index; see `CellSource.load`.

        A row without a patient is its own group, so it is split by image.
        """
        rows = [row for row in self._rows() if row["cell_type"] not in NOT_WHITE]
        cells: list[OneCell] = []
        with ThreadPoolExecutor(self.threads) as pool:
            for done, found in enumerate(pool.map(lambda row: self._cut(row, cutter), rows), 1):
                cells += found
                advance(done, len(rows))
        if not cells:
            raise ModelError(f"{self.path} names no white cell")
        return stack(cells)

    def _rows(self) -> list[dict[str, str]]:
        try:
            with self.path.open(newline="") as file:
                reader = csv.DictReader(file)
                if missing := set(COLUMNS) - set(reader.fieldnames or ()):
                    raise ModelError(f"{self.path} lacks the columns {', '.join(sorted(missing))}")
                return list(reader)
        except OSError as error:
            raise ModelError(f"cannot read the index {self.path}: {error}") from error

    def _cut(self, row: dict[str, str], cutter: Cutter) -> list[OneCell]:
        image, origin = _read(self.path.parent / row["path"])
        return list(_cells(row, image, origin, cutter))


def _cells(row: dict[str, str], image: Image, origin: str, cutter: Cutter) -> Iterator[OneCell]:
    whole = row["cell_type"] == FIELD
    boxes = all_boxes(image) if whole else [central_box(image)]
    for place, box in enumerate(boxes):
        key = f"{row['path']}#{place}" if whole else row["path"]
        yield OneCell(
            cells=cutter.cut(image, box, key),
            label=labels.number(row["label"]),
            source=row["source"],
            group=f"{row['source']}/{row['patient'] or row['path']}",
            kind=row["cell_type"],
            key=key,
            origin=origin,
        )


def _read(path: Path) -> tuple[Image, str]:
    """An image, uint8 H×W×3 RGB, and its file's SHA-256. The engineer's own file: trusted."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the index names {path}, which cannot be read: {error}") from error
    try:
        return opened(np.frombuffer(raw, np.uint8)), hashlib.sha256(raw).hexdigest()
    except (ValueError, cv2.error) as error:
        raise ModelError(f"the index names {path}: {error}") from error
