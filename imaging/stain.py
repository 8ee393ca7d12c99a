"""How much a pixel absorbs, and how much of that is a white cell's dye and not hemoglobin.

Optical densities add up where stains lie over one another (Beer-Lambert law), and each stain
has its own direction in the space of the three densities (Ruifrok and Johnston, Anal Quant Cytol
Histol 2001). Both directions are taken from the field itself, so that another stain batch, lamp or
camera turns them without a setting.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Image

Plane: TypeAlias = npt.NDArray[np.float32]
Mask: TypeAlias = npt.NDArray[np.uint8]
"""uint8, H×W, 0 or 1."""

_GLASS: Final = (85.0, 98.0)
"""Percentiles of green between which a pixel counts as bare glass: glass is brightest, and the
topmost two percent are dust and reflections."""
_DARKEST: Final = 8  # gray levels; below, noise would be read as absorption
_SMOOTH: Final = 1.0  # pixels, sigma
_PURPLE: Final = np.array([[1.0, 1.0, -2.0]], np.float32)
"""Azure and eosin on chromatin absorb red and green and let blue pass; hemoglobin absorbs blue."""
_PURPLE_RANGE: Final = (0.5, 1.1)
_NUCLEAR_RANGE: Final = (0.12, 0.6)
_TISSUE: Final = 0.1  # density of green from which a pixel is tissue
_USUAL_RED_CELL: Final = np.array([0.46, 0.77, 0.44], np.float32)
_ENOUGH: Final = 100  # sampled pixels that make a median trustworthy
_DISTINCT: Final = 0.1  # density by which a nucleus must differ from a red cell
_FAINT: Final = 0.04  # density of the palest cytoplasm
_BARE: Final = 0.04  # density of green up to which a pixel is glass
_NOISES: Final = 3.0  # medians of the glass's noise above which cytoplasm is believed


@dataclass(frozen=True)
class Stain:
    """A field's dyes, apart from its red cells.

    Attributes:
        nuclei: where the nuclear dye is dense.
        foreign: float32, H×W: density that neither glass nor red cells explain.
        faint: value of `foreign` from which a pixel may be cytoplasm.
    """

    nuclei: Mask
    foreign: Plane
    faint: float


def glass_colour(pixels: Image) -> npt.NDArray[np.float64]:
    """Median colour of the bare glass.

    Args:
        pixels: uint8, N×3, RGB.

    Returns:
        float64, 3, 0 to 255, RGB.
    """
    green = pixels[:, 1]
    # Nearest: both limits are pixels of the image, so that even a tiny one has glass.
    low, high = np.percentile(green, _GLASS, method="nearest")
    return np.asarray(np.median(pixels[(green >= low) & (green <= high)], axis=0), np.float64)


def optical_density(image: Image) -> Plane:
    """Natural logarithm of glass over pixel, lightly smoothed.

    Args:
        image: uint8, H×W×3, RGB.

    Returns:
        float32, H×W×3, RGB; 0 is glass, red cells reach 0.4, nuclei 2.
    """
    glass = np.maximum(glass_colour(image[::3, ::3].reshape(-1, 3)), _DARKEST)
    levels = np.maximum(np.arange(256), _DARKEST)
    table = -np.log(levels[None, :, None] / glass).astype(np.float32)
    return np.asarray(cv2.LUT(cv2.GaussianBlur(image, (0, 0), _SMOOTH), table), np.float32)


def purple(density: Plane) -> Mask:
    """A first guess at the nuclei, before the field's own stain directions are known."""
    hue = cv2.transform(density, _PURPLE)
    return _above(hue, _otsu(hue, *_PURPLE_RANGE))


def separate(density: Plane, guess: Mask, reach: float) -> Stain | None:
    """Tell white cells' dyes from hemoglobin.

    Args:
        density: float32, H×W×3, of `optical_density`.
        guess: of `purple`.
        reach: how far from a nucleus cytoplasm may lie, in pixels; farther tissue is red cells.

    Returns:
        None where nothing in the field differs from a red cell.
    """
    if not guess.any():
        return None
    nucleus = np.asarray(np.median(density[guess > 0][::4], axis=0), np.float32)
    red_cell = _red_cell_direction(density, guess, reach)
    beside = _beside(nucleus, red_cell)
    if np.linalg.norm(beside) < _DISTINCT:
        # A white cell that fills the field lends its own colour to the supposed red cells.
        red_cell = _USUAL_RED_CELL / np.linalg.norm(_USUAL_RED_CELL)
        beside = _beside(nucleus, red_cell)
        if np.linalg.norm(beside) < 2 * _DISTINCT:
            return None
    along = beside / np.linalg.norm(beside)
    across = np.cross(red_cell, along).astype(np.float32)
    chromatin = np.asarray(cv2.transform(density, along[None]), np.float32)
    threshold = _otsu(chromatin, *_NUCLEAR_RANGE)
    # Eosinophil granules lie across: redder than chromatin, but no red cell either.
    granules = cv2.transform(density, across[None])
    foreign = np.asarray(cv2.magnitude(np.maximum(chromatin, 0), granules), np.float32)
    return Stain(_above(chromatin, threshold), foreign, _faintest(density, foreign))


def _beside(nucleus: Plane, red_cell: Plane) -> Plane:
    """What of the nucleus's density the red cells' dye cannot explain."""
    return np.asarray(nucleus - (nucleus @ red_cell) * red_cell, np.float32)


def _faintest(density: Plane, foreign: Plane) -> float:
    glass = foreign[::2, ::2][density[::2, ::2, 1] < _BARE]
    noise = float(np.median(glass)) if len(glass) >= _ENOUGH else 0.0
    return max(_FAINT, _NOISES * noise)


def _red_cell_direction(density: Plane, guess: Mask, reach: float) -> Plane:
    size = 2 * round(reach) + 1
    # A square reaches farther at its corners, which does no harm, and is far cheaper than a disc.
    near = cv2.dilate(guess, np.ones((size, size), np.uint8))[::2, ::2]
    sample = density[::2, ::2]
    red_cells = sample[(sample[..., 1] > _TISSUE) & (near == 0)]
    colour = _USUAL_RED_CELL if len(red_cells) < _ENOUGH else np.median(red_cells, axis=0)
    return np.asarray(colour / np.linalg.norm(colour), np.float32)


def disc(radius: float) -> Mask:
    """A round kernel for cv2's morphology, of radius 1 pixel or more."""
    size = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _otsu(plane: cv2.typing.MatLike, low: float, high: float) -> float:
    """Otsu's threshold (IEEE Trans SMC 1979), kept within bounds for fields without a nucleus."""
    levels = cv2.convertScaleAbs(np.maximum(plane, 0), alpha=100.0 / high)
    threshold, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    return min(max(threshold * high / 100.0, low), high)


def _above(plane: cv2.typing.MatLike, threshold: float) -> Mask:
    return np.asarray(plane > threshold, np.uint8)
