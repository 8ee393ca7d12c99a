"""The arrays that the simulator draws on, and the signed distances that shapes are made of.

A shape is a plane of signed distances in pixels: negative inside, 0 on the contour. Approximate
distances do: they only place soft edges a few pixels wide.
"""

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.float32]
"""float32, H×W: densities, opacities (0 to 1) or signed distances (pixels)."""

Stack: TypeAlias = npt.NDArray[np.float32]
"""float32, 4×H×W: density of each stained substance (see `Substance`)."""

PIXELS_PER_UM: Final = 13.0
"""Of the drawing. Light blurs to 0.22 µm (Abbe, green, NA 1.25), 3 pixels: finer is empty."""

OVERSAMPLING: Final = 2
"""Camera pixels per drawn pixel: cells are as large as BCCD's at twice its 640×480."""


_DIRECTIONS: Final = 2048
"""Angles at which an outline's radius is computed: a third of a pixel apart on the largest cell."""

CAMERA_PIXELS_PER_UM: Final = PIXELS_PER_UM * OVERSAMPLING
"""Of the pictures: 26 to the µm, so that 1280×960 pixels show 49×37 µm."""


class Substance:
    """Index of each substance in a `Stack`."""

    HEMOGLOBIN: Final = 0
    """Red cells, stained by eosin."""
    CHROMATIN: Final = 1
    """Nuclei, platelets and azurophil granules: azure-eosin violet."""
    BASOPHILIA: Final = 2
    """Cytoplasm rich in RNA: azure blue."""
    EOSIN: Final = 3
    """Pink cytoplasm and granules."""
    COUNT: Final = 4


def grid(side: int) -> tuple[Plane, Plane]:
    """Pixel coordinates (x, y) of a square sprite, its centre at 0."""
    axis = np.arange(side, dtype=np.float32) - np.float32((side - 1) / 2)
    return np.broadcast_to(axis, (side, side)), np.broadcast_to(axis[:, None], (side, side))


def cover(distance: Plane, softness: float = 1.0) -> Plane:
    """Opacity of a shape: 1 inside, 0 outside, smooth over 2 × `softness` pixels."""
    t = np.clip(np.float32(0.5) - distance / np.float32(2 * softness), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def blob(
    rng: np.random.Generator, side: int, radius: float, roughness: float, elongation: float = 0.0
) -> Plane:
    """Signed distance of a rounded, irregular outline around the sprite's centre.

    Args:
        rng: decides harmonics 2 to 7 of the radius.
        side: of the sprite, in pixels.
        radius: mean radius, in pixels.
        roughness: relative amplitude of the harmonics, 0 (circle) to about 0.1.
        elongation: relative amplitude added to the second harmonic: 0.1 makes an ellipse of
            axes 1.1 : 0.9.

    Returns:
        float32, side×side.
    """
    turn = np.linspace(0, 2 * np.pi, _DIRECTIONS, dtype=np.float32)
    outline = np.ones_like(turn)
    for order in range(2, 8):
        size = roughness * rng.normal() / (order - 1) ** 1.6 + (elongation if order == 2 else 0.0)
        outline += np.float32(size) * np.cos(order * turn + rng.uniform(0, 2 * np.pi))
    np.minimum(outline, np.float32((side / 2 - 3) / radius), out=outline)  # stay in the sprite
    x, y = grid(side)
    away, angle = cv2.cartToPolar(np.ascontiguousarray(x), np.ascontiguousarray(y))
    nearest = (np.asarray(angle) * ((_DIRECTIONS - 1) / (2 * np.pi)) + 0.5).astype(np.intp)
    return np.asarray(away - (outline * np.float32(radius))[nearest], np.float32)


def chain(side: int, points: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]) -> Plane:
    """Signed distance of the union of discs: lobes, bands and kidneys are chains of them.

    Args:
        side: of the sprite, in pixels.
        points: N×2, centres (x, y) in pixels from the sprite's centre.
        radii: N, in pixels.

    Returns:
        float32, side×side; measured on every second pixel and interpolated, as it is smooth.
    """
    half = (side + 1) // 2
    x, y = grid(half)
    centres = points.astype(np.float32)
    across = 2 * x - centres[:, 0, None, None]
    down = 2 * y - centres[:, 1, None, None]
    away = np.sqrt(across * across + down * down)
    nearest = (away - radii.astype(np.float32)[:, None, None]).min(axis=0)
    whole = cv2.resize(nearest, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32)
