"""Nuclei as labelled pieces: specks dropped, touching nuclei parted, lobes still apart."""

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.stain import Mask, disc

Labels: TypeAlias = npt.NDArray[np.int32]
"""int32, H×W: 0 is nothing, 1 … N are pieces."""

# In red-cell diameters, or in areas of a red cell.
_CLOSE: Final = 0.12  # gaps of chromatin texture
_SPECK: Final = 0.04  # area
_SPLIT_FROM: Final = 1.2  # area
_CORE: Final = 0.4  # radius of the largest circle in each of two nuclei that touch
_NECK: Final = 0.6  # of the larger core's radius; a wider neck is a folded nucleus


def label_nuclei(mask: Mask, diameter: float) -> tuple[Labels, list[int]]:
    """Label the pieces of nuclei.

    Args:
        mask: where the nuclear dye is dense.
        diameter: of a red cell, in pixels.

    Returns:
        Labels, and each piece's area in pixels; piece n has the label n + 1.
    """
    opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    closed = cv2.morphologyEx(opened, cv2.MORPH_CLOSE, disc(_CLOSE * diameter))
    count, found, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    labels = np.asarray(found, np.int32)
    red_cell = np.pi / 4 * diameter**2
    for label in range(1, count):
        x, y, w, h, area = (int(value) for value in stats[label])
        if area > _SPLIT_FROM * red_cell:
            count += _part(labels[y : y + h, x : x + w], label, count, diameter)
    return _without_specks(labels, _SPECK * red_cell)


def _part(window: npt.NDArray[np.int32], label: int, free: int, diameter: float) -> int:
    """Part a piece in place where it holds several cores; returns how many labels were used."""
    piece = np.asarray(window == label, np.uint8)
    depth = cv2.distanceTransform(np.pad(piece, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    level = max(0.8 * _CORE * diameter, _NECK * float(depth.max()))
    count, cores = cv2.connectedComponents(np.asarray(depth > level, np.uint8))
    deep = [n for n in range(1, count) if depth[cores == n].max() > _CORE * diameter]
    if len(deep) < 2:
        return 0
    kept = np.isin(cores, deep)
    _, nearest = cv2.distanceTransformWithLabels(
        np.asarray(~kept, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_CCOMP
    )
    others = np.unique(nearest[kept])[1:]
    for offset, core in enumerate(others):
        window[(piece > 0) & (nearest == core)] = free + offset
    return len(others)


def _without_specks(labels: Labels, smallest: float) -> tuple[Labels, list[int]]:
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    kept = np.flatnonzero(areas >= smallest)
    renamed = np.zeros(len(areas), np.int32)
    renamed[kept] = np.arange(1, len(kept) + 1)
    return renamed[labels], [int(area) for area in areas[kept]]
