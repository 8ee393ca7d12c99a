"""Optical density without a cell's own stain. Import only after `start_tensorflow`."""

from typing import Final

import keras
from keras import ops

DARKEST: Final = 0.02
"""Transmission below which no optical density is taken."""

_QUIET: Final = 1e-3
"""Added to a variance: an empty cell is not blown up into noise."""


def standardised(
    cells: keras.KerasTensor,
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Bring each cell's optical density to mean 0 and deviation 1, channel by channel.

    What a stain and a lamp add to or multiply in every pixel is gone, so that a laboratory is told
    less easily from another (Reinhard et al. 2001 match the same two moments, to a target). Density
    is -ln of transmission (Beer and Lambert).

    Args:
        cells: float32 N×h×w×3 in −1…1.

    Returns:
        The standardised density, float32 N×h×w×3, and what was taken away, float32 N×6: the
        three means, then the three deviations.
    """
    density = -ops.log(ops.maximum((cells + 1) / 2, DARKEST))
    # From one pixel on: the mean of thousands of equal values is not that value to the last digit,
    # and an empty cell's rounding would be what the network sees.
    first = density[:, :1, :1]
    relative = density - first
    mean = _mean(relative)
    centred = relative - mean
    spread = ops.sqrt(_mean(ops.square(centred)) + _QUIET)
    stain = ops.concatenate([mean + first, spread], axis=-1)[:, 0, 0]
    return centred / spread, stain


def _mean(pixels: keras.KerasTensor) -> keras.KerasTensor:
    """Over each cell, as N×1×1×3."""
    return ops.mean(pixels, axis=(1, 2), keepdims=True)
