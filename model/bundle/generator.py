"""The generator's graph: what the GAN believes that each class looks like."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from imaging.types import Cells
from model.bundle.graph import OPSET, open_session
from model.errors import ModelError

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

INPUTS: Final = ("label", "noise")
OUTPUT: Final = "cells"

AGREEMENT: Final = 4
"""Largest difference in grey levels, of 255, between graph and Keras: weights are kept in float16,
and where a value lies on the edge between two levels, the last bit decides."""

Noise = npt.NDArray[np.float32]
Classes = npt.NDArray[np.int32]


class Generator:
    """An ONNX generator, its inputs and output checked on opening."""

    def __init__(self, path: Path) -> None:
        """Open a graph.

        Raises:
            ModelError: it cannot be loaded or is no generator.
        """
        self._session = open_session(path)
        inputs = {put.name: (put.type, put.shape) for put in self._session.get_inputs()}
        outputs = {put.name: put.type for put in self._session.get_outputs()}
        kinds = {name: kind for name, (kind, _) in inputs.items()}
        wanted = {"label": "tensor(int32)", "noise": "tensor(float)"}
        if kinds != wanted or outputs != {OUTPUT: "tensor(uint8)"}:
            raise ModelError(
                f"{path} takes {kinds} and gives {outputs}; a generator takes {wanted} and gives "
                f"uint8 `{OUTPUT}`"
            )
        self.noise = int(inputs["noise"][1][1])
        """Length of the noise vector."""

    def run(self, noise: Noise, labels: Classes) -> Cells:
        """Draw N cells, uint8 N×h×w×3, RGB, of noise float32 N×noise and labels int32 N."""
        (cells,) = self._session.run([OUTPUT], {"noise": noise, "label": labels})
        drawn: Cells = cells
        return drawn


def write_generator(network: "keras.Model", path: Path) -> None:
    """Write a generator as ONNX, its weights in half the bytes: it is looked at, not measured with.

    Import of TensorFlow is the caller's affair.
    """
    import tensorflow as tf
    import tf2onnx

    from model.bundle.halved import halved

    noise = network.inputs[0].shape[1]
    signature = [
        tf.TensorSpec([None, noise], tf.float32, name="noise"),
        tf.TensorSpec([None], tf.int32, name="label"),
    ]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def draw(noise: tf.Tensor, label: tf.Tensor) -> dict[str, tf.Tensor]:
        return {OUTPUT: _pixels(network([noise, label], training=False))}

    proto, _ = tf2onnx.convert.from_function(draw, input_signature=signature, opset=OPSET)
    path.write_bytes(halved(proto).SerializeToString())


def keras_cells(network: "keras.Model", noise: Noise, labels: Classes) -> Cells:
    """The same by Keras, for comparison."""
    drawn: Cells = np.asarray(_pixels(network([noise, labels], training=False)))
    return drawn


def compare(network: "keras.Model", path: Path, count: int, classes: int) -> int:
    """Largest difference in grey levels over `count` drawn cells of all classes.

    Raises:
        ModelError: it is above AGREEMENT.
    """
    draw = np.random.default_rng(0)
    noise = draw.standard_normal((count, network.inputs[0].shape[1])).astype(np.float32)
    labels = (np.arange(count) % classes).astype(np.int32)
    mine = Generator(path).run(noise, labels).astype(np.int16)
    furthest = int(np.abs(mine - keras_cells(network, noise, labels)).max())
    if furthest > AGREEMENT:
        raise ModelError(
            f"the exported generator differs from Keras by {furthest} grey levels (at most "
            f"{AGREEMENT}): no bundle was written. Look for a layer that tf2onnx converts wrongly"
        )
    return furthest


def _pixels(drawn: "tf.Tensor") -> "tf.Tensor":
    """−1…1 as uint8 0…255."""
    import tensorflow as tf

    return tf.cast(tf.clip_by_value(tf.round((drawn + 1) * 127.5), 0, 255), tf.uint8)
