"""What a worker may cut that is no white cell: red cells, platelets, empty places, photographs."""

import xml.etree.ElementTree as ET  # annotations of the engineer's own data set
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np

from imaging.box import Box, overlap
from imaging.crop import cut_cells
from imaging.simulator import Smear
from imaging.types import Cells, Image
from model.data.cutting import opened
from model.data.finding import central_box
from model.data.simulator import SLIDES
from model.errors import ModelError

EACH: Final = 200
"""Of each kind at most."""

FIRST_SLIDE: Final = 1_950_000_000
"""Slides from here on are shown to no training and to no field test."""

BLUR: Final = 0.08
"""Standard deviation of the blur in units of the cell's side: nothing of the chromatin is left."""

Draw: TypeAlias = np.random.Generator


def strangers(data: Path | None, cells: Cells, seed: int = 0) -> Iterator[tuple[str, Cells]]:
    """Kinds of strangers, each uint8 N×h×w×3 and cut as the worker cuts.

    Args:
        data: folder with `bccd` and `pbc` as in ../shared/data; kinds whose pictures are not there
            are left out. None leaves them all out.
        cells: real ones, uint8 N×h×w×3: their size is taken, and some are blurred.
        seed: of every choice.
    """
    size = cells.shape[1]
    makers: dict[str, Callable[[Draw], Iterator[Cells]]] = {
        "red cells": lambda draw: _boxed(data, "RBC", size, draw),
        "platelets (BCCD)": lambda draw: _boxed(data, "Platelets", size, draw),
        "platelets (PBC)": lambda draw: _platelets(data, size, draw, 1),
        "empty places of simulated fields": lambda draw: _empty(size, draw),
        "strongly blurred white cells": lambda draw: _blurred(cells, draw),
        "photographs": lambda draw: _photographs(size, draw),
        "noise": lambda draw: _noise(size, draw),
    }
    for number, (name, make) in enumerate(makers.items()):
        some = [cell for _, cell in zip(range(EACH), make(np.random.default_rng([seed, number])))]  # noqa: B905  # the shorter one ends it
        if some:
            yield name, np.stack(some)


def _boxed(data: Path | None, name: str, size: int, draw: Draw) -> Iterator[Cells]:
    """Boxes of BCCD's annotations, two a field, that meet no white cell."""
    fields = sorted((data / "bccd" / "annotations").glob("*.xml")) if data else []
    for chosen in draw.permutation(len(fields)):
        annotated = fields[chosen]
        boxes = _annotated(annotated)
        white = [box for kind, box in boxes if kind == "WBC"]
        fit = [box for kind, box in boxes if kind == name and not _meets(box, white)]
        if not fit:
            continue
        image = _read(annotated.parents[1] / "images" / f"{annotated.stem}.jpg")
        for place in draw.permutation(len(fit))[:2]:
            yield cut_cells(image, [fit[place]], size, size)[0]


def _annotated(path: Path) -> list[tuple[str, Box]]:
    found = []
    for one in ET.parse(path).iterfind("object"):  # noqa: S314  # the engineer's own file
        x, y, right, bottom = (
            int(one.findtext(f"bndbox/{side}", "0")) for side in ("xmin", "ymin", "xmax", "ymax")
        )
        if right > x and bottom > y:
            found.append((one.findtext("name", ""), Box(x, y, right - x, bottom - y)))
    return found


def platelets_to_learn(data: Path, size: int) -> Cells:
    """Half of PBC's platelets, uint8 N×size×size×3; `strangers` shows the other half.

    Raises:
        ModelError: there are none.
    """
    some = list(_platelets(data, size, np.random.default_rng(0), 0))
    if not some:
        raise ModelError(f"{data / 'pbc' / 'platelet'} holds no picture to learn platelets from")
    return np.stack(some)


def _platelets(data: Path | None, size: int, draw: Draw, half: int) -> Iterator[Cells]:
    """PBC's pictures of one platelet, cut as pictures of one cell are for training."""
    pictures = sorted((data / "pbc" / "platelet").glob("*.jpg"))[half::2] if data else []
    for chosen in draw.permutation(len(pictures)):
        image = _read(pictures[chosen])
        yield cut_cells(image, [central_box(image)], size, size)[0]


def _empty(size: int, draw: Draw) -> Iterator[Cells]:
    """Places between the white cells of simulated fields: red cells, platelets, plasma, dust."""
    for number in range(EACH):
        smear = Smear(FIRST_SLIDE + number, SLIDES[number % len(SLIDES)])
        field = smear.field(400, 700, 640, 480)
        rows, columns = field.image.shape[:2]
        for _ in range(2):
            side = int(draw.integers(70, 130))
            box = Box(
                int(draw.integers(columns - side)), int(draw.integers(rows - side)), side, side
            )
            if not _meets(box, [cell.box for cell in field.cells]):
                yield cut_cells(field.image, [box], size, size)[0]


def _blurred(cells: Cells, draw: Draw) -> Iterator[Cells]:
    for chosen in draw.permutation(len(cells)):
        yield cv2.GaussianBlur(cells[chosen], (0, 0), BLUR * cells.shape[1]).astype(np.uint8)


def _photographs(size: int, draw: Draw) -> Iterator[Cells]:
    """Places of scikit-learn's two sample photographs, a temple and a flower."""
    from sklearn.datasets import load_sample_images

    for number in range(EACH):
        image = np.asarray(load_sample_images().images[number % 2], np.uint8)
        side = int(draw.integers(60, 300))
        rows, columns = image.shape[:2]
        box = Box(int(draw.integers(columns - side)), int(draw.integers(rows - side)), side, side)
        yield cut_cells(image, [box], size, size)[0]


def _noise(size: int, draw: Draw) -> Iterator[Cells]:
    for _ in range(EACH):
        yield draw.integers(0, 256, (size, size, 3), np.uint8)


def _meets(box: Box, others: list[Box]) -> bool:
    return any(overlap(box, other) > 0 for other in others)


def _read(path: Path) -> Image:
    return opened(np.frombuffer(path.read_bytes(), np.uint8))
