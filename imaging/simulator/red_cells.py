"""Red cells: biconcave discs, drawn once per process and used turned and mirrored."""

from functools import cache
from typing import Final

import cv2
import numpy as np

from imaging.simulator.planes import PIXELS_PER_UM, Plane, blob, cover
from imaging.simulator.textures import cut

DIAMETER_UM: Final = 7.4
"""Mean diameter on a smear: BCCD's boxes are 105 pixels wide where white cells are 200."""

VARIANTS: Final = 48

_SIDE: Final = 128
_SEED: Final = 7_400


@cache
def red_cell(variant: int, orientation: int) -> Plane:
    """Hemoglobin density of one red cell, about 1 at the rim.

    Args:
        variant: 0 to VARIANTS − 1: size, outline, pallor.
        orientation: 0 to 7: quarter turns, mirrored from 4 on.

    Returns:
        float32, 128×128; slightly negative in the bright line that refraction draws around it.
        Shared: do not write into it.
    """
    if orientation == 0:
        sprite = _drawn(np.random.default_rng([_SEED, variant]))
    else:
        upright = red_cell(variant, 0)
        sprite = np.rot90(upright if orientation < 4 else upright[:, ::-1], orientation % 4)
    sprite.setflags(write=False)
    return sprite


def _drawn(rng: np.random.Generator) -> Plane:
    radius = DIAMETER_UM / 2 * PIXELS_PER_UM * rng.normal(1.0, 0.06)
    crenated = rng.uniform() < 0.04
    distance = blob(rng, _SIDE, radius, rng.uniform(0.01, 0.04), abs(rng.normal(0, 0.06)))
    if crenated:
        distance = distance + 1.7 * cut(rng, 20.0, _SIDE, 4.0)
    distance += 0.7 * cut(rng, 40.0, _SIDE, 4.0)
    across = np.clip(1 + distance / np.float32(radius), 0, 1)
    pallor = np.float32(rng.uniform(0.3, 0.62) if rng.uniform() < 0.8 else 0.05)
    density = 1 - pallor * _pallor(rng, across) + 0.03 * cut(rng, 24.0, _SIDE, 2.5)
    # The membrane seen from its side, and the bright line outside it.
    edge = np.exp(-(((distance + 2.0) / 2.2) ** 2))
    outside = np.exp(-(((distance - 3.0) / 2.5) ** 2))
    body = density * cover(distance, 2.2) + 0.22 * edge * cover(distance, 1.5)
    soft = cv2.GaussianBlur(body, (0, 0), rng.uniform(0.6, 1.4))
    return np.asarray(soft - 0.10 * outside, np.float32)


def _pallor(rng: np.random.Generator, across: Plane) -> Plane:
    """The pale centre, 1 to 0, over the relative radius `across` (0 to 1).

    A floor with a shoulder, as dried cells have it: the biconcave profile of a cell in plasma
    (Evans and Fung, Microvascular Research 4, 1972) is a cone beside it.
    """
    inner = rng.uniform(0.15, 0.42)
    outer = inner + rng.uniform(0.28, 0.45)
    t = np.clip((across - np.float32(inner)) / np.float32(outer - inner), 0, 1)
    return np.asarray(1 - t * t * (3 - 2 * t), np.float32)
