"""How well and how fast white cells are found: `python tests/bench/cells.py`.

Constants of the finder were chosen on BCCD's even-numbered fields; the odd-numbered ones are held
out. Times are CPU time of one thread, which is wall time on an idle core.
"""

import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from time import thread_time
from typing import TypeAlias
from xml.etree import ElementTree

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from imaging.agreement import Agreement, agree, total
from imaging.box import Box
from imaging.cells import FINDER_ID, find_white_cells
from imaging.decode import decode
from imaging.simulator import Smear
from imaging.types import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LEUKOSCOPE_DATA", ROOT.parent / "shared" / "data"))
SINGLES = {"pbc": 130, "deepapl": 130, "lmu": 40}
NOT_WHITE = "platelet"
Pairs: TypeAlias = Iterator[tuple[Image, list[Box]]]
Score: TypeAlias = tuple[Agreement, list[float]]


def bccd(folder: Path, odd: bool | None = None) -> Pairs:
    """Fields and their white cells' boxes; of the odd or even numbers, or all."""
    for path in sorted((folder / "bccd" / "images").glob("*.jpg")):
        if odd is None or int(path.stem[-5:]) % 2 == odd:
            yield decode(path.read_bytes()), _white_boxes(folder, path.stem)


def _white_boxes(folder: Path, name: str) -> list[Box]:
    tree = ElementTree.parse(folder / "bccd" / "annotations" / f"{name}.xml")  # noqa: S314  # our own data set
    boxes = []
    for item in tree.iter("object"):
        if item.findtext("name") == "WBC":
            sides = ("xmin", "ymin", "xmax", "ymax")
            x0, y0, x1, y1 = (int(item.findtext(f"bndbox/{side}", "0")) for side in sides)
            boxes.append(Box(x0, y0, x1 - x0, y1 - y0))
    return boxes


def single_cells(folder: Path, source: str, count: int) -> list[Path]:
    """A seeded sample of a source's single-cell images, without platelets."""
    paths = sorted((folder / source).glob("*/*.jpg")) + sorted((folder / source).glob("*/*.png"))
    paths += sorted((folder / source).glob("*/*.tif*"))
    white = [path for path in paths if path.parent.name != NOT_WHITE]
    return random.Random(11).sample(white, min(count, len(white)))


def is_hit(image: Image) -> bool:
    """Whether exactly one box holds the image's middle, and is no speck."""
    rows, columns = image.shape[:2]
    middle = [
        box
        for box in find_white_cells(image)
        if box.x <= columns / 2 < box.x + box.w and box.y <= rows / 2 < box.y + box.h
    ]
    return len(middle) == 1 and max(middle[0].w, middle[0].h) > 0.15 * columns


def scored(
    pairs: Iterator[tuple[Image, list[Box]]], scale: float = 1
) -> tuple[Agreement, list[float]]:
    """Agreement over all fields, and milliseconds a field."""
    parts, times = [], []
    for image, true in pairs:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        field = image if scale == 1 else np.asarray(cv2.resize(image, size), np.uint8)
        before = thread_time()
        found = find_white_cells(field)
        times.append(1000 * (thread_time() - before))
        parts.append(agree([Box(*(round(v / scale) for v in box)) for box in found], true))
    return total(parts), times


def drawn() -> Pairs:
    """Simulated fields; cells of which less than half is inside are no truth there."""
    for kind in ("Normal", "ALL", "AML"):
        for seed in range(10):
            field = Smear(seed, kind).field(150.0 * seed, 40.0)
            yield field.image, [cell.box for cell in field.cells]


def _row(name: str, result: Score) -> None:
    agreement, times = result
    middle, late = np.percentile(times, [50, 95])
    overlap = float(np.mean(agreement.overlaps))
    print(
        f"{name:34}{agreement.true:6}{agreement.recall:9.3f}{agreement.precision:11.3f}"
        f"{overlap:9.3f}{middle:9.1f}{late:8.1f}"
    )


def main() -> None:
    """Print both tables."""
    cv2.setNumThreads(1)
    find_white_cells(next(bccd(DATA))[0])
    print(f"{FINDER_ID}, IoU 0.5, one thread")
    print(
        f"{'fields':34}{'cells':>6}{'recall':>9}{'precision':>11}{'IoU':>9}{'ms p50':>9}{'p95':>8}"
    )
    _row("BCCD 640×480, even (tuned on)", scored(bccd(DATA, odd=False)))
    _row("BCCD 640×480, odd (held out)", scored(bccd(DATA, odd=True)))
    _row("BCCD 640×480, all", scored(bccd(DATA)))
    _row("BCCD enlarged to 1280×960, odd", scored(bccd(DATA, odd=True), 2))
    _row("BCCD shrunk to 320×240, odd", scored(bccd(DATA, odd=True), 0.5))
    _row("simulator 1280×960 (inner cells)", scored(drawn()))
    print("\nsingle-cell images with exactly one cell in the middle")
    for source, count in SINGLES.items():
        hits = [is_hit(decode(path.read_bytes())) for path in single_cells(DATA, source, count)]
        print(f"{source:10}{sum(hits):5} of {len(hits)}")


if __name__ == "__main__":
    main()
