"""VGG-16, ResNet-50 and DenseNet-121 with a small head. Import only after `start_tensorflow`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import keras
from keras import layers

from model import run
from model.baselines.baseline import BaselineConfig, Told
from model.baselines.fitting import Fitting, fit_network, head, network_outputs
from model.baselines.weights import SCRATCH, with_weights
from model.data.cells import CellSet
from model.errors import ModelError
from model.evaluation.measures import Numbers

Network = Literal["vgg16", "resnet50", "densenet121"]

LEAST: Final = 32
"""Side of the smallest input that these networks take, in pixels."""

MOMENTUM: Final = 0.9
"""Of BatchNorm from scratch: with Keras' 0.99 the moving statistics of a training of a few hundred
steps are still those of the first weights."""

PRETRAINED_RATE: Final = 1e-4


@dataclass(frozen=True)
class Kind:
    """What differs between the networks."""

    build: Callable[..., keras.Model]
    prepare: Callable[..., Any]
    """From RGB, 0 to 255, to what its ImageNet weights were trained on."""
    rate: float
    """From scratch."""


KINDS: Final[dict[Network, Kind]] = {
    "vgg16": Kind(
        keras.applications.VGG16,
        keras.applications.vgg16.preprocess_input,
        1e-4,  # no BatchNorm: at 1e-3 it stays where it begins
    ),
    "resnet50": Kind(
        keras.applications.ResNet50, keras.applications.resnet50.preprocess_input, 1e-3
    ),
    "densenet121": Kind(
        keras.applications.DenseNet121, keras.applications.densenet.preprocess_input, 1e-3
    ),
}


class Prepared(layers.Layer):  # type: ignore[misc]  # keras ships no types
    """From −1…1 at the cells' size to what a network of keras.applications takes."""

    def __init__(self, kind: Kind, side: int) -> None:
        """Enlarge to `side` pixels."""
        super().__init__(trainable=False)
        self._kind = kind
        self._resize = layers.Resizing(side, side)

    def call(self, cells: keras.KerasTensor) -> keras.KerasTensor:
        """Prepare a batch."""
        return self._kind.prepare((self._resize(cells) + 1) * 127.5)


class Application:
    """A network of keras.applications, all of it trained."""

    def __init__(self, network: Network, config: BaselineConfig) -> None:
        """Build it with its first weights.

        Raises:
            ModelError: the weights cannot be had, or the input would be too small.
        """
        kind = KINDS[network]
        side = config.side or max(LEAST, config.cells.size)
        if side < LEAST:
            raise ModelError(f"side {side}: {network} takes {LEAST} pixels or more")

        def build(weights: str | None) -> keras.Model:
            shape = (side, side, 3)
            return kind.build(include_top=False, weights=weights, input_shape=shape, pooling="avg")

        self.body, self.origin = with_weights(build, config.weights)
        scratch = self.origin == SCRATCH
        if scratch:
            _quicken(self.body)
        self._how = Fitting.of(config, kind.rate if scratch else PRETRAINED_RATE, config.augment)
        cells = keras.Input((config.cells.size, config.cells.size, 3), name="cells")
        features = self.body(Prepared(kind, side)(cells))
        self.features = keras.Model(cells, features, name=f"{network}-features")
        self._network = keras.Model(cells, head(features), name=network)

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """See `Baseline`."""
        fit_network(self._network, train, validation, self._how, told)

    def logits(self, cells: CellSet) -> Numbers:
        """See `Baseline`."""
        return network_outputs(self._network, cells)

    def save(self, folder: Path, name: str) -> None:
        """Write the body's weights, NAME.npz, as `--weights` takes them."""
        run.save_weights(folder, self.body.get_weights(), name)


def _quicken(body: keras.Model) -> None:
    for layer in body.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = MOMENTUM
