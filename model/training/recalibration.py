"""BatchNorm's moving statistics, taken anew from real cells. Import after `start_tensorflow`."""

from typing import Final

import keras
import numpy as np

from model.data.cells import CellSet
from model.training.acgan import scaled

CELLS: Final = 1024
"""Training cells that the statistics are taken from."""


def recalibrate(network: keras.Model, train: CellSet, batch: int) -> None:
    """Replace the moving statistics by the mean of those of batches of real training cells.

    Training a discriminator feeds BatchNorm with batches of real and of generated cells in turn;
    its moving statistics are then of neither.

    Args:
        network: changed in place, its other weights are not.
        train: real cells; the first CELLS of a fixed shuffling are used.
        batch: cells of a batch, at least 2.
    """
    norms = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    kept = [norm.momentum for norm in norms]
    frozen = network.trainable
    network.trainable = True  # a frozen BatchNorm takes no statistics
    rows = np.random.default_rng(0).permutation(len(train))[:CELLS]
    for number, start in enumerate(range(0, len(rows), batch)):
        for norm in norms:
            norm.momentum = number / (number + 1)  # the running mean of all batches so far
        network(scaled(train.cells[np.sort(rows[start : start + batch]), 0]), training=True)
    network.trainable = frozen
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
