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
def bank(period: float, slope: float = 1.5) -> Plane:
    """A periodic noise texture of clouds about `period` pixels apart, with finer detail in them.

    White noise filtered in the frequency domain: amplitude f^−`slope` above the
    frequency 1 / `period`, a log-Gaussian fall below it.

    Args:
        period: distance from cloud to cloud, in pixels; 2 to SIDE.
        slope: 1.5 is rough as chromatin is, 4 smooth as an outline.

    Returns:
        float32, SIDE×SIDE, mean 0, standard deviation 1. Shared: do not write into it.
    """
    rng = np.random.default_rng([_SEED, round(period * 16)])
    spectrum = np.fft.rfft2(rng.standard_normal((SIDE, SIDE)))
    radius = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.rfftfreq(SIDE)[None, :])
    radius[0, 0] = 1e-9
    octaves = np.log2(radius * period)
    spectrum *= np.where(octaves < 0, np.exp(-0.5 * (octaves / 0.5) ** 2), 2 ** (-slope * octaves))
    noise = np.fft.irfft2(spectrum, (SIDE, SIDE))
    texture: Plane = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    texture.setflags(write=False)
    return texture


def cut(rng: np.random.Generator, period: float, side: int, slope: float = 1.5) -> Plane:
    """A window of `bank(period, slope)` at a random place, float32, side×side, mean 0, sd 1."""
    top, left = rng.integers(0, SIDE, 2)
    rows = (top + np.arange(side)) % SIDE
    columns = (left + np.arange(side)) % SIDE
    window: Plane = bank(period, slope)[rows[:, None], columns]
    return window
