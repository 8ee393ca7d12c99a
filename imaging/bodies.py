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
_LOBE: Final = 0.45  # area; two pieces that are both larger are two cells
_WIDEST_CELL: Final = 1.7  # a cell whose lobes are joined
_NUCLEUS: Final = 0.5  # smaller ones are platelets
_COMPACT: Final = 0.87  # area over convex hull of a body that is one cell
_ROUND: Final = 1.35  # its length over its width
_WIDEST: Final = 2.8  # its extent
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
    def elongation(self) -> float:
        sides = cv2.minAreaRect(self.outline)[1]
        return float(max(sides) / max(min(sides), 1.0))

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
    if not areas:
        return []
    grown = _grow(stain, labels, areas, diameter)
    smallest = np.pi / 4 * (_NUCLEUS * diameter) ** 2
    return [
        Box(*cv2.boundingRect(body.outline))
        for body in _joined(grown, diameter)
        if body.chromatin >= smallest and body.solidity >= _CLUMP
    ]


def _grow(stain: Stain, labels: Labels, areas: list[int], diameter: float) -> list[_Body]:
    """Give each piece the cytoplasm that is nearest to it, connected to it and within reach."""
    widest = 2 * np.sqrt(np.array([0, *areas]) / np.pi)
    reach = (_REACH * np.minimum(widest, _WIDEST_NUCLEUS * diameter)).astype(np.float32)
    left, top, window = _around(labels, float(reach.max()))
    labels = labels[window]
    nuclei = labels > 0
    stained = np.asarray((stain.foreign[window] > stain.faint) | nuclei, np.uint8)
    cytoplasm = cv2.morphologyEx(stained, cv2.MORPH_OPEN, disc(_OPEN * diameter))
    far, nearest = cv2.distanceTransformWithLabels(
        np.asarray(~nuclei, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owners = np.zeros(int(nearest.max()) + 1, np.int32)
    owners[nearest[nuclei]] = labels[nuclei]
    owner = np.asarray(owners[nearest], np.int32)
    owner[(cytoplasm == 0) | (far > reach[owner])] = 0
    owner[nuclei] = labels[nuclei]
    offset = np.array([left, top], np.int32)
    return [_body(owner, labels, n, area, offset) for n, area in enumerate(areas, 1)]


def _around(labels: Labels, margin: float) -> tuple[int, int, tuple[slice, slice]]:
    """Left, top and slices of the part of the image that pieces can grow into."""
    x, y, w, h = cv2.boundingRect(np.asarray(labels > 0, np.uint8))
    border = int(margin) + 2
    left, top = max(0, x - border), max(0, y - border)
    return left, top, np.s_[top : y + h + border, left : x + w + border]


def _body(
    owner: Labels, labels: Labels, label: int, area: int, offset: npt.NDArray[np.int32]
) -> _Body:
    """One piece's own connected part of what it owns; `offset` is where the arrays begin."""
    mine = np.asarray(owner == label, np.uint8)
    left, top, w, h = cv2.boundingRect(mine)
    window = np.s_[top : top + h, left : left + w]
    nucleus = np.asarray(labels[window] == label, np.uint8)
    _, parts = cv2.connectedComponents(mine[window])
    kept = np.unique(parts[nucleus > 0])
    whole = np.asarray(np.isin(parts, kept), np.uint8)
    at = offset + np.array([left, top], np.int32)
    return _Body(area, int(whole.sum()), _outline(whole) + at, _outline(nucleus) + at)


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
    if _apart(a.outline, b.outline) > near:
        return None
    gap = _distance(a.nucleus, b.nucleus)
    both = _union(a, b)
    if both.extent > _WIDEST * diameter or (gap > near and _distance(a.outline, b.outline) > 3):
        return None
    small = min(a.chromatin, b.chromatin) < _LOBE * np.pi / 4 * diameter**2
    lobes = (
        gap <= near
        and small
        and 2 * cv2.minEnclosingCircle(both.nucleus)[1] < _WIDEST_CELL * diameter
    )
    compact = both.solidity > _COMPACT and both.elongation < _ROUND
    return gap if lobes or compact else None


def _distance(a: npt.NDArray[np.int32], b: npt.NDArray[np.int32]) -> float:
    across = a[:, None].astype(np.float32) - b[None]
    return float(np.sqrt((across**2).sum(axis=-1).min()))


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
