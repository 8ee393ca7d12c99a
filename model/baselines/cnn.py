"""A plain convolutional network of 24,000 parameters. Import only after `start_tensorflow`."""

from typing import Final

import keras
from keras import layers

from model.baselines.baseline import BaselineConfig, Told
from model.baselines.fitting import Fitting, fit_network, head, network_outputs
from model.data.cells import CellSet
from model.evaluation.measures import Numbers

WIDTHS: Final = (16, 32, 64)
RATE: Final = 2e-3


class PlainCNN:
    """Three convolutions, averaged over the image: what little it takes."""

    def __init__(self, config: BaselineConfig, augment: bool) -> None:
        """Build it; with or without augmentation."""
        self.origin = "from scratch"
        self._how = Fitting.of(config, RATE, augment and config.augment)
        self._network = _network(config.cells.size)

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """See `Baseline`."""
        fit_network(self._network, train, validation, self._how, told)

    def logits(self, cells: CellSet) -> Numbers:
        """See `Baseline`."""
        return network_outputs(self._network, cells)


def _network(size: int) -> keras.Model:
    cells = keras.Input((size, size, 3), name="cells")
    x = cells
    for width in WIDTHS:
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D()(x) if width != WIDTHS[-1] else x
    return keras.Model(cells, head(layers.GlobalAveragePooling2D()(x)), name="plain-cnn")
