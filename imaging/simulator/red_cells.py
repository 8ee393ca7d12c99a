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
        sprite = np.ascontiguousarray(sprite)
    sprite.setflags(write=False)
    return sprite


def _drawn(rng: np.random.Generator) -> Plane:
    radius = DIAMETER_UM / 2 * PIXELS_PER_UM * rng.normal(1.0, 0.06)
    crenated = rng.uniform() < 0.05
    distance = blob(rng, _SIDE, radius, rng.uniform(0.01, 0.045), abs(rng.normal(0, 0.05)))
    if crenated:
        distance = distance + 2.2 * cut(rng, 18.0, _SIDE, _SIDE)
    distance += 0.8 * cut(rng, 32.0, _SIDE, _SIDE)
    across = np.clip(1 + distance / np.float32(radius), 0, 1)
    thickness = _biconcave(across) if rng.uniform() < 0.8 else np.ones_like(across)
    pallor = np.float32(rng.uniform(0.25, 0.95))
    density = 1 - pallor * (1 - thickness) + 0.04 * cut(rng, 24.0, _SIDE, _SIDE)
    # The membrane seen from its side, and the bright line outside it.
    edge = np.exp(-(((distance + 2.0) / 2.2) ** 2))
    outside = np.exp(-(((distance - 3.0) / 2.5) ** 2))
    body = density * cover(distance, 2.2) + 0.22 * edge * cover(distance, 1.5)
    soft = cv2.GaussianBlur(body, (0, 0), rng.uniform(0.6, 1.4))
    return np.asarray(soft - 0.10 * outside, np.float32)


def _biconcave(u: Plane) -> Plane:
    """Relative thickness at the relative radius `u` (0 to 1), its largest value 1.

    Evans and Fung, "Improved measurements of the erythrocyte geometry", Microvascular Research
    4 (1972) 335-347: D(u) = sqrt(1 − u²) (0.81 + 7.83 u² − 4.39 u⁴) µm. On a dried smear the
    outer slope is flat, so the thickness stays at its largest beyond the ridge.
    """
    square = np.minimum(u, np.float32(0.68)) ** 2
    micrometres = np.sqrt(1 - square) * (0.81 + 7.83 * square - 4.39 * square * square)
    return np.asarray(micrometres / 2.56, np.float32)
