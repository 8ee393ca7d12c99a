"""Whether a calibration still holds, seen on the bare glass between the cells of a capture."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from edge.calibration.correction import Correction
from edge.cameras.small import shrunk
from imaging.stain import glass_colour
from imaging.types import Image

MOST_DIMMER: Final = 0.1
"""Relative change of the glass's brightness; a lamp that warms up stays within half of it."""
MOST_CAST: Final = 6.0
"""Chroma of the glass (CIELAB): clearly seen beside white. BCCD's glass, balanced by its camera,
reaches 6.8 in the worst of 91 fields and 5.1 in 19 of 20."""
MOST_UNEVEN: Final = 0.12
"""Brightest over darkest part of the glass, less 1. BCCD's uncorrected fields have 0.10 ± 0.01."""
OLDEST: Final = timedelta(days=90)

_WIDTH: Final = 320  # pixels of the picture that is looked at
_COLUMNS, _ROWS = 8, 6  # tiles
_LEAST_GLASS: Final = 12  # tiles, of 48, without which nothing is said of the light
_LIT: Final = 0.8  # of the bright tiles' level; what is darker has no glass, or a fold over it
_GLASS: Final = 0.98  # of the surface through the glass; what is darker is covered by cells
_ROUNDS: Final = 6
_LUMA: Final = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
_AGAIN: Final = "Calibrate again on an empty field."

_Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Background:
    """The bare glass of one picture.

    Attributes:
        brightness: luma, gray levels (0 to 255).
        cast: chroma in CIELAB; 0 is neutral.
        unevenness: brightest over darkest part of the field, less 1.
    """

    brightness: float
    cast: float
    unevenness: float


def background(image: Image) -> Background | None:
    """Look at the glass between the cells.

    The picture is cut into 8×6 tiles. A tile's glass is what is brightest in it
    (`imaging.stain.glass_colour`); a plane with a round fall-off is laid through the tiles, and
    those below it, which cells cover wholly, are left out until none is.

    Args:
        image: uint8, H×W×3, RGB.

    Returns:
        None where too little glass is in view to say anything.
    """
    small = shrunk(image, _WIDTH)
    if small.shape[0] < _ROWS or small.shape[1] < _COLUMNS:
        return None
    colours = np.array([glass_colour(tile.reshape(-1, 3)) for tile in _tiles(small)])
    luma = colours @ _LUMA
    found = _surface(luma)
    if found is None:
        return None
    surface, glass = found
    darkest = max(float(surface.min()), 1.0)
    return Background(
        brightness=float(np.median(luma[glass])),
        cast=_chroma(np.median(colours[glass], axis=0)),
        unevenness=float(surface.max()) / darkest - 1,
    )


def warning(correction: Correction, image: Image, now: datetime) -> str:
    """Say whether a calibration should be made again, and why.

    Args:
        correction: the calibration in use.
        image: a capture that it has corrected: uint8, H×W×3, RGB.
        now: by the station's clock, with its time zone.

    Returns:
        What is wrong and what to do; empty when the calibration holds.
    """
    height, width = image.shape[:2]
    if not correction.fits(width, height):
        return (
            f"The calibration is of pictures of another shape ({correction.width}×"
            f"{correction.height}, not {width}×{height}), so only the colour is corrected. {_AGAIN}"
        )
    seen = background(image)
    said = (tell(correction, seen) for tell in _TELLERS) if seen else ()
    return next((sentence for sentence in said if sentence), "") or _age(correction, now)


def _brightness(correction: Correction, seen: Background) -> str:
    change = seen.brightness / correction.level - 1
    if abs(change) <= MOST_DIMMER:
        return ""
    word = "brighter" if change > 0 else "darker"
    return (
        f"The light is {abs(change):.0%} {word} than when it was calibrated. Set the lamp as it "
        "was and look whether the condenser or a filter was moved; if it is meant to be so, "
        "calibrate again on an empty field."
    )


def _cast(_correction: Correction, seen: Background) -> str:
    if seen.cast <= MOST_CAST:
        return ""
    return (
        f"The glass is tinted (chroma {seen.cast:.0f}, white is 0) although it was calibrated: "
        f"the lamp's colour or a filter has changed. {_AGAIN}"
    )


def _unevenness(_correction: Correction, seen: Background) -> str:
    if seen.unevenness <= MOST_UNEVEN:
        return ""
    return (
        f"The light has become uneven (by {seen.unevenness:.0%} across the field). Centre the "
        "condenser and clean the optics, then calibrate again on an empty field."
    )


def _age(correction: Correction, now: datetime) -> str:
    age = now - correction.made_at
    if age < -timedelta(days=1):
        return (
            "The calibration's date lies in the future, so its age is unknown. Look at the "
            f"station's clock; if the clock is right: {_AGAIN}"
        )
    if age > OLDEST:
        return f"The calibration is {age.days} days old. {_AGAIN}"
    return ""


_TELLERS: Final[tuple[Callable[[Correction, Background], str], ...]] = (
    _brightness,
    _cast,
    _unevenness,
)


def _tiles(image: Image) -> list[Image]:
    rows = np.array_split(image, _ROWS, axis=0)
    return [tile for row in rows for tile in np.array_split(row, _COLUMNS, axis=1)]


def _surface(luma: _Floats) -> tuple[_Floats, npt.NDArray[np.bool_]] | None:
    """The light at each tile, and which tiles have glass."""
    terms = _terms()
    glass = luma > _LIT * np.percentile(luma, 95)
    for _ in range(_ROUNDS):
        if np.count_nonzero(glass) < _LEAST_GLASS:
            return None
        weights = np.linalg.lstsq(terms[glass], luma[glass], rcond=None)[0]
        surface = np.asarray(terms @ weights, np.float64)
        glass = luma > _GLASS * surface
    return (surface, glass) if np.count_nonzero(glass) >= _LEAST_GLASS else None


def _terms() -> _Floats:
    """1, x, y and x² + y² at the tiles' centres, from −1 to 1."""
    x = np.tile((2 * np.arange(_COLUMNS) + 1) / _COLUMNS - 1, _ROWS)
    y = np.repeat((2 * np.arange(_ROWS) + 1) / _ROWS - 1, _COLUMNS)
    return np.stack([np.ones_like(x), x, y, x * x + y * y], axis=1)


def _chroma(colour: _Floats) -> float:
    lab = cv2.cvtColor((colour[None, None] / 255).astype(np.float32), cv2.COLOR_RGB2Lab)
    return float(np.hypot(lab[0, 0, 1], lab[0, 0, 2]))
