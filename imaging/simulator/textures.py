"""Noise from which chromatin, cytoplasm and granules are cut, computed once per process."""

from functools import cache
from typing import Final

import numpy as np

from imaging.simulator.planes import Plane

SIDE: Final = 512
"""Side of a texture in pixels; textures repeat, so any window up to this size can be cut."""

_SEED: Final = 20_220_322
"""Textures are part of the renderer, not of a slide: one fixed seed for all of them."""


@cache
def bank(period: float) -> Plane:
    """A periodic noise texture whose blobs are about `period` pixels apart.

    White noise through a log-Gaussian band-pass in the frequency domain (one octave wide).

    Args:
        period: distance from blob to blob, in pixels; 2 to SIDE.

    Returns:
        float32, SIDE×SIDE, mean 0, standard deviation 1. Shared: do not write into it.
    """
    rng = np.random.default_rng([_SEED, round(period * 16)])
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    radius[0, 0] = 1e-9
    spectrum *= np.exp(-0.5 * (np.log2(radius * period) / 0.5) ** 2)
    noise = np.fft.irfft2(spectrum, (SIDE, SIDE))
    texture: Plane = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    texture.setflags(write=False)
    return texture


def cut(rng: np.random.Generator, period: float, height: int, width: int) -> Plane:
    """A window of `bank(period)` at a random place, float32, height×width, mean 0, sd 1."""
    top, left = rng.integers(0, SIDE, 2)
    rows = (top + np.arange(height)) % SIDE
    columns = (left + np.arange(width)) % SIDE
    window: Plane = bank(period)[rows[:, None], columns]
    return window
