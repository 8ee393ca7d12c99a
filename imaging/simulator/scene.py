"""What lies on a part of a slide, and how it is painted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from imaging.box import Box
from imaging.simulator.kinds import CellKind, SlideKind
from imaging.simulator.planes import OVERSAMPLING, Plane, Stack, Substance
from imaging.simulator.platelets import PlacedPlatelet, platelet
from imaging.simulator.red_cells import red_cell
from imaging.simulator.white_cells import WhiteCell
from imaging.types import Image


class DrawnCell(NamedTuple):
    """Ground truth of one white cell of a field."""

    box: Box
    """Tight around the whole cell, cytoplasm included, as far as it lies inside the image."""
    kind: CellKind
    label: SlideKind
    nuclear_share: float
    """Nuclear area per area of the whole cell, 0 to 1."""


@dataclass(frozen=True)
class Field:
    """A picture and what is on it."""

    image: Image
    """uint8, H×W×3, RGB."""
    cells: tuple[DrawnCell, ...]
    """White cells with at least half of their area inside the image."""


class PlacedRed(NamedTuple):
    """A red cell; `x` and `y` are its centre in drawn pixels from the slide's origin."""

    x: int
    y: int
    variant: int
    orientation: int
    hemoglobin: float
    basophilia: float = 0.0
    """Above 0 in young (polychromatic) cells."""


@dataclass(frozen=True)
class PlacedWhite:
    """A white cell; `x` and `y` as in `PlacedRed`."""

    x: int
    y: int
    kind: CellKind
    label: SlideKind
    drawn: WhiteCell


def paint(
    reds: Sequence[PlacedRed],
    platelets: Sequence[PlacedPlatelet],
    whites: Sequence[PlacedWhite],
    window: Box,
) -> Stack:
    """Densities of all substances in `window` (drawn pixels), float32, 4×H×W.

    Red cells are translucent and add up; white cells lie on top of them.
    """
    stack = np.zeros((Substance.COUNT, window.h, window.w), np.float32)
    for red in reds:
        sprite = red_cell(red.variant, red.orientation)
        _add(stack[Substance.HEMOGLOBIN], sprite, red.hemoglobin, red.x, red.y, window)
        if red.basophilia:
            _add(stack[Substance.BASOPHILIA], sprite, red.basophilia, red.x, red.y, window)
    stack[Substance.HEMOGLOBIN] = _compressed(stack[Substance.HEMOGLOBIN])
    for small in platelets:
        for plane, sprite in zip(stack, platelet(small.variant), strict=True):
            _add(plane, sprite, 1.0, small.x, small.y, window)
    for white in whites:
        _cover(stack, white, window)
    return stack


def _compressed(density: Plane) -> Plane:
    """Two cells on one another darken less than twice: a camera's tone curve is flat there."""
    return np.asarray(density * np.float32(1.15) / (1 + np.float32(0.15) * np.abs(density)))


def truth(whites: Sequence[PlacedWhite], window: Box, width: int, height: int) -> list[DrawnCell]:
    """Ground truth in camera pixels of the white cells that lie at least half in the image."""
    cells = []
    for white in whites:
        drawn = white.drawn
        # The image may be a pixel narrower than the window, where its size is odd.
        inside = _overlap(drawn.mask.shape[0], white.x, white.y, window)
        if inside is None or 2 * np.count_nonzero(drawn.mask[inside[1]]) < drawn.area:
            continue
        box = _clipped(drawn.box, white, window, width, height)
        cells.append(DrawnCell(box, white.kind, white.label, drawn.nuclear_share))
    return cells


def _clipped(box: Box, white: PlacedWhite, window: Box, width: int, height: int) -> Box:
    corner = white.drawn.mask.shape[0] // 2
    left = (white.x - corner + box.x - window.x) * OVERSAMPLING
    top = (white.y - corner + box.y - window.y) * OVERSAMPLING
    right = min(width, left + box.w * OVERSAMPLING)
    bottom = min(height, top + box.h * OVERSAMPLING)
    left, top = max(0, left), max(0, top)
    return Box(left, top, right - left, bottom - top)


Slices = tuple[slice, slice]


def _overlap(side: int, x: int, y: int, window: Box) -> tuple[Slices, Slices] | None:
    """Slices of window and sprite where a sprite centred at (x, y) meets the window."""
    left, top = x - side // 2 - window.x, y - side // 2 - window.y
    columns = slice(max(0, left), min(window.w, left + side))
    rows = slice(max(0, top), min(window.h, top + side))
    if columns.start >= columns.stop or rows.start >= rows.stop:
        return None
    sprite_rows = slice(rows.start - top, rows.stop - top)
    sprite_columns = slice(columns.start - left, columns.stop - left)
    return (rows, columns), (sprite_rows, sprite_columns)


def _add(plane: Plane, sprite: Plane, strength: float, x: int, y: int, window: Box) -> None:
    places = _overlap(sprite.shape[0], x, y, window)
    if places is not None:
        plane[places[0]] += np.float32(strength) * sprite[places[1]]


def _cover(stack: Stack, white: PlacedWhite, window: Box) -> None:
    places = _overlap(white.drawn.opacity.shape[0], white.x, white.y, window)
    if places is None:
        return
    target, source = places
    view = stack[:, target[0], target[1]]
    view *= 1 - white.drawn.opacity[source]
    view += white.drawn.stack[:, source[0], source[1]]
