"""Noise from which chromatin, cytoplasm and outlines are cut, computed once per process."""

from functools import cache
from typing import Final

import numpy as np

from imaging.simulator.planes import Plane

LARGEST: Final = 400
"""Side of the largest window, in pixels: more than the largest white cell's sprite."""

_PERIODIC: Final = 512
"""Side of a texture before it repeats, in pixels."""

_SEED: Final = 20_220_322
"""Textures are part of the renderer, not of a slide: one fixed seed for all of them."""


def cut(rng: np.random.Generator, period: float, side: int, slope: float = 1.5) -> Plane:
    """A square of cloudy noise from a random place of an endless texture.

    Args:
        rng: decides the place.
        period: distance from cloud to cloud, in pixels; taken to the nearest quarter octave.
        side: of the square, in pixels; at most LARGEST.
        slope: 1.5 is rough as chromatin is, 4 smooth as an outline.

    Returns:
        float32, side×side, mean about 0, standard deviation about 1. Shared: do not write into it.

    Raises:
        ValueError: `side` is above LARGEST.
    """
    if side > LARGEST:
        raise ValueError(f"a texture window is at most {LARGEST} pixels wide, not {side}")
    top, left = (int(number) for number in rng.integers(0, _PERIODIC, 2))
    texture = _bank(round(4 * np.log2(period)), slope)
    if max(top, left) + side <= _PERIODIC:
        return texture[top : top + side, left : left + side]
    around = np.arange(side)
    return texture[np.ix_((top + around) % _PERIODIC, (left + around) % _PERIODIC)]


@cache
def _bank(quarter_octaves: int, slope: float) -> Plane:
    """White noise filtered in the frequency domain; periodic, so that it has no edge.

    The amplitude falls as f^−`slope` above the frequency of the period and as a log-Gaussian
    below it.
    """
    rng = np.random.default_rng([_SEED, quarter_octaves, round(10 * slope)])
    spectrum = np.fft.rfft2(rng.standard_normal((_PERIODIC, _PERIODIC)))
    fall = np.hypot(np.fft.fftfreq(_PERIODIC)[:, None], np.fft.rfftfreq(_PERIODIC)[None, :])
    fall[0, 0] = 1e-9
    octaves = np.log2(fall) + quarter_octaves / 4
    spectrum *= np.where(octaves < 0, np.exp(-0.5 * (octaves / 0.5) ** 2), 2 ** (-slope * octaves))
    noise = np.fft.irfft2(spectrum, (_PERIODIC, _PERIODIC))
    texture: Plane = ((noise - noise.mean()) / noise.std()).astype(np.float32)
    texture.setflags(write=False)
    return texture
