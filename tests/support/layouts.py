"""Tiny data sets from the simulator, laid out as the real ones are distributed."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from imaging.box import Box
from imaging.simulator import DrawnCell, Optics, Smear, render_cell
from imaging.types import Image

FIELD = (640, 480)
"""Width and height of a field, in pixels."""

SHOWN = 0.5
"""Pixels of a field for each pixel of the simulator's camera: cells are then about 150 wide."""


class WrittenIdb(NamedTuple):
    """What `write_all_idb` made."""

    folder: Path
    parents: dict[str, str]
    """Name of the field of each crop, both without suffix, such as Im003_1: Im002_1."""


def write_picture(path: Path, image: Image) -> Path:
    """Write an RGB image in the format its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    return path


def write_all_idb(folder: Path, fields: int = 6, seed: int = 1, crop: int = 161) -> WrittenIdb:
    """Write ALL_IDB1/im, ALL_IDB1/xyc and ALL_IDB2/img: half of the fields show leukemia.

    Args:
        folder: to make them in.
        fields: of ALL_IDB1; each gives up to two crops.
        seed: of the slides: as many slides as fields.
        crop: side of the crops, in pixels.
    """
    parents = {}
    number = 0
    for place in range(fields):
        sick = place % 2 == 0
        image, cells = _field(seed * 1000 + place, sick)
        name = f"Im{place + 1:03}_{int(sick)}"
        blasts = [cell for cell in cells if sick and cell.label == "ALL"]
        path = write_picture(folder / "ALL_IDB1" / "im" / f"{name}.jpg", image)
        _write_centres(folder / "ALL_IDB1" / "xyc" / f"{name}.xyc", blasts)
        stored = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        for cell in (blasts or cells)[:2]:
            number += 1
            cut = f"Im{number:03}_{int(cell.label == 'ALL')}"
            piece = _piece(stored.astype(np.uint8), cell.box, crop)
            write_picture(folder / "ALL_IDB2" / "img" / f"{cut}.tif", piece)
            parents[cut] = name
    return WrittenIdb(folder, parents)


def write_c_nmc(folder: Path, subjects: int = 3, seed: int = 1) -> Path:
    """Write fold_0/all and fold_0/hem: `subjects` of each, two cells each, cut out on black."""
    for subject in range(1, subjects + 1):
        for cell in (1, 2):
            for named, prefix, kind in (("all", "", "lymphoblast"), ("hem", "H", "lymphocyte")):
                drawn = render_cell(kind, seed * 1000 + subject * 10 + cell)  # type: ignore[arg-type]  # the loop's strings are kinds
                name = f"UID_{prefix}{subject}_1_{cell}_{named}.bmp"
                write_picture(folder / "fold_0" / named / name, _on_black(drawn.image, drawn.box))
    return folder


def write_pbc(folder: Path, each: int = 2, seed: int = 1) -> Path:
    """Write PBC_dataset_normal_DIB with folders of cell types, platelets among them."""
    kinds = {"neutrophil": "SNE", "lymphocyte": "LY", "monocyte": "MO"}
    for kind, prefix in kinds.items():
        for n in range(each):
            drawn = render_cell(kind, seed * 1000 + n)  # type: ignore[arg-type]  # the same
            name = f"{prefix}_{100_000 + seed * 1000 + n}.jpg"
            write_picture(folder / "PBC_dataset_normal_DIB" / kind / name, drawn.image)
    glass = np.full((120, 120, 3), 225, np.uint8)
    write_picture(folder / "PBC_dataset_normal_DIB" / "platelet" / "PLATELET_1.jpg", glass)
    return folder


def write_folder(
    folder: Path,
    classes: Sequence[tuple[str, str]] = (("AML", "myeloblast"), ("Normal", "lymphocyte")),
    patients: int = 3,
    each: int = 2,
    seed: int = 1,
) -> Path:
    """Write a folder for each (class, kind), with pictures named by patient, such as p1_0.png."""
    for place, (named, kind) in enumerate(classes):
        for patient in range(patients):
            for n in range(each):
                draw = seed * 1000 + place * 100 + patient * 10 + n
                drawn = render_cell(kind, draw)  # type: ignore[arg-type]  # the caller names kinds
                write_picture(folder / named / f"p{patient}_{n}.png", drawn.image)
    return folder


def _field(seed: int, sick: bool) -> tuple[Image, list[DrawnCell]]:
    """The first field of a slide that shows what it should, in the set's size."""
    width, height = FIELD
    smear = Smear(seed, "ALL" if sick else "Normal")
    for step in range(40):
        size = (round(width / SHOWN), round(height / SHOWN))
        field = smear.field(60.0 * step, 500.0, *size, optics=Optics(noise=1.0))
        cells = [_scaled(cell) for cell in field.cells if _inside(_scaled(cell).box)]
        wanted = [cell for cell in cells if (cell.label == "ALL") == sick]
        if wanted:
            image = cv2.resize(field.image, FIELD, interpolation=cv2.INTER_AREA)
            return image.astype(np.uint8), wanted
    raise AssertionError(f"slide {seed} shows no cell that is {'ALL' if sick else 'Normal'}")


def _scaled(cell: DrawnCell) -> DrawnCell:
    return cell._replace(box=Box(*(round(side * SHOWN) for side in cell.box)))


def _inside(box: Box) -> bool:
    width, height = FIELD
    return box.x >= 0 and box.y >= 0 and box.x + box.w <= width and box.y + box.h <= height


def _write_centres(path: Path, cells: Sequence[DrawnCell]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{c.box.x + c.box.w // 2}\t{c.box.y + c.box.h // 2}\n" for c in cells]
    path.write_text("".join(lines))


def _piece(image: Image, box: Box, side: int) -> Image:
    """A square around a box, moved inside the image."""
    rows, columns = image.shape[:2]
    left = min(max(0, box.x + box.w // 2 - side // 2), columns - side)
    top = min(max(0, box.y + box.h // 2 - side // 2), rows - side)
    return image[top : top + side, left : left + side]


def _on_black(image: Image, box: Box) -> Image:
    mask = np.zeros(image.shape[:2], np.uint8)
    middle = (box.x + box.w // 2, box.y + box.h // 2)
    cv2.ellipse(mask, middle, (box.w // 2, box.h // 2), 0, 0, 360, 255, -1)
    return np.where(mask[..., None] > 0, image, 0).astype(np.uint8)
