"""Whole cells grown from pieces of nuclei, and pieces that share a body joined."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.box import Box
from imaging.nuclei import Labels, label_nuclei
from imaging.stain import Mask, Stain, disc

# In red-cell diameters, or in areas of a red cell.
_REACH: Final = 0.6  # cytoplasm from the nucleus, in diameters of the nucleus
_WIDEST_NUCLEUS: Final = 1.4
_OPEN: Final = 0.1  # bridges that are thinner are cut
_GAP: Final = 0.3  # between lobes
_LOBE: Final = 0.6  # area; two pieces that are both larger are two cells
_WIDEST_CELL: Final = 2.0  # a cell whose lobes are joined
_NUCLEUS: Final = 0.45  # smaller ones are platelets
_COMPACT: Final = 0.9  # area over convex hull of a body that is one cell
_CLUMP: Final = 0.6  # less compact bodies are platelet clumps and dirt


@dataclass
class _Body:
    """Pieces of nuclei with their cytoplasm, in pixels of the working image."""

    chromatin: int
    area: int
    outline: npt.NDArray[np.int32]
    """Points of its boundary, N×2, x and y."""
    nucleus: npt.NDArray[np.int32]
    """Points of its nucleus's boundary."""

    @property
    def extent(self) -> float:
        return 2 * float(cv2.minEnclosingCircle(self.outline)[1])

    @property
    def solidity(self) -> float:
        hull = float(cv2.contourArea(cv2.convexHull(self.outline)))
        return self.area / max(hull, 1.0)


def bodies(stain: Stain, diameter: float) -> list[Box]:
    """Boxes of whole white cells.

    Args:
        stain: of the field.
        diameter: of a red cell, in pixels.
    """
    labels, areas = label_nuclei(stain.nuclei, diameter)
    grown = _grow(stain, labels, areas, diameter)
    smallest = np.pi / 4 * (_NUCLEUS * diameter) ** 2
    return [
        Box(*cv2.boundingRect(body.outline))
        for body in _joined(grown, diameter)
        if body.chromatin >= smallest and body.solidity >= _CLUMP
    ]


def _grow(stain: Stain, labels: Labels, areas: list[int], diameter: float) -> list[_Body]:
    """Give each piece the cytoplasm that is nearest to it, connected to it and within reach."""
    nuclei = labels > 0
    cytoplasm = np.asarray((stain.foreign > stain.faint) | nuclei, np.uint8)
    cytoplasm = np.asarray(cv2.morphologyEx(cytoplasm, cv2.MORPH_OPEN, disc(_OPEN * diameter)))
    far, nearest = cv2.distanceTransformWithLabels(
        np.asarray(~nuclei, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owners = np.zeros(int(nearest.max()) + 1, np.int32)
    owners[nearest[nuclei]] = labels[nuclei]
    widest = 2 * np.sqrt(np.array([0, *areas]) / np.pi)
    reach = (_REACH * np.minimum(widest, _WIDEST_NUCLEUS * diameter)).astype(np.float32)
    owner = owners[nearest]
    owner[((cytoplasm == 0) | (far > reach[owner])) & ~nuclei] = 0
    return [_body(owner, labels, label, area, reach[label]) for label, area in enumerate(areas, 1)]


def _body(owner: Labels, labels: Labels, label: int, area: int, reach: float) -> _Body:
    rows, columns = np.nonzero(labels == label)
    margin = int(reach) + 2
    top, left = max(0, rows.min() - margin), max(0, columns.min() - margin)
    window = np.s_[top : rows.max() + margin + 1, left : columns.max() + margin + 1]
    nucleus = np.asarray(labels[window] == label, np.uint8)
    mine = np.asarray(owner[window] == label, np.uint8)
    _, parts = cv2.connectedComponents(mine)
    kept = np.isin(parts, np.unique(parts[nucleus > 0]))
    whole = np.asarray(kept & (mine > 0), np.uint8)
    offset = np.array([left, top], np.int32)
    return _Body(area, int(whole.sum()), _outline(whole) + offset, _outline(nucleus) + offset)


def _outline(mask: Mask) -> npt.NDArray[np.int32]:
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.concatenate([contour[:, 0] for contour in contours]).astype(np.int32)


def _joined(pieces: list[_Body], diameter: float) -> list[_Body]:
    """Join lobes of one nucleus, nearest first."""
    whole = list(pieces)
    while True:
        pairs = [
            (gap, i, j)
            for j in range(len(whole))
            for i in range(j)
            if (gap := _gap(whole[i], whole[j], diameter)) is not None
        ]
        if not pairs:
            return whole
        _, i, j = min(pairs)
        whole[i] = _union(whole[i], whole[j])
        del whole[j]


def _gap(a: _Body, b: _Body, diameter: float) -> float | None:
    """Distance of two nuclei in pixels, None where they belong to two cells."""
    near = _GAP * diameter
    if _apart(a.nucleus, b.nucleus) > near:
        return None
    across = a.nucleus[:, None].astype(np.float32) - b.nucleus[None]
    gap = float(np.sqrt((across**2).sum(axis=-1).min()))
    both = _union(a, b)
    if gap > near or both.extent > 2.6 * diameter:
        return None
    small = min(a.chromatin, b.chromatin) < _LOBE * np.pi / 4 * diameter**2
    lobes = small and 2 * cv2.minEnclosingCircle(both.nucleus)[1] < _WIDEST_CELL * diameter
    _, sides, _ = cv2.minAreaRect(both.outline)
    compact = both.solidity > _COMPACT and max(sides) < 1.45 * min(sides)
    return gap if lobes or compact else None


def _apart(a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]) -> float:
    """A lower bound of two outlines' distance, from their boxes."""
    low = np.maximum(a.min(axis=0), b.min(axis=0))
    high = np.minimum(a.max(axis=0), b.max(axis=0))
    return float(np.maximum(low - high, 0).max())


def _union(a: _Body, b: _Body) -> _Body:
    return _Body(
        a.chromatin + b.chromatin,
        a.area + b.area,
        np.concatenate([a.outline, b.outline]),
        np.concatenate([a.nucleus, b.nucleus]),
    )
