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
    rows, columns, channels = cells.shape[1:]
    light = ops.maximum((cells + 1) / 2, DARKEST)
    density = -ops.log(ops.reshape(light, (-1, rows * columns, channels)))
    mean = _mean(density, rows * columns)
    centred = density - mean
    spread = ops.sqrt(_mean(ops.square(centred), rows * columns) + _QUIET)
    stain = ops.concatenate([mean, spread], axis=-1)[:, 0]
    return ops.reshape(centred / spread, (-1, rows, columns, channels)), stain


def _mean(pixels: keras.KerasTensor, count: int) -> keras.KerasTensor:
    """N×1×3 of N×pixels×3: by a product, as reducing to few channels is slow."""
    return ops.matmul(ops.full((1, 1, count), 1 / count, "float32"), pixels)
