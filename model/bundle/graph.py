"""The exported graph: written through tf2onnx, run with onnxruntime as the worker runs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from imaging.types import Cells
from model.errors import ModelError
from wire.manifest import Manifest

if TYPE_CHECKING:
    import tensorflow as tf

    from model.training.acgan import ACGAN

OPSET: Final = 18
INPUT: Final = "cells"
OUTPUTS: Final = ("activation", "probabilities", "real")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Answers:
    """What a graph, or the Keras model it came from, says of N cells."""

    probabilities: Floats
    """N×labels, summing to 1."""
    real: Floats
    """N, 0 to 1."""
    activation: Floats
    """N×h×w×labels; its mean over h and w is the class's logit before the temperature."""

    def furthest(self, other: "Answers") -> float:
        """The largest absolute difference, each output in units of its own size (at least 1)."""
        return max(
            float(np.abs(mine - theirs).max() / max(1.0, float(np.abs(theirs).max())))
            for mine, theirs in (
                (self.probabilities, other.probabilities),
                (self.real, other.real),
                (self.activation, other.activation),
            )
        )


class Graph:
    """An ONNX classifier on one thread, its inputs and outputs checked on opening."""

    def __init__(self, path: Path) -> None:
        """Open a graph.

        Raises:
            ModelError: it cannot be loaded, or does not take and give what a bundle promises.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            # The file's bytes: onnxruntime's exceptions have no common base but Exception.
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(f"{path} cannot be loaded by onnxruntime: {error}") from error
        self._path = path
        self._check()

    def run(self, cells: Cells) -> Answers:
        """Classify cells, uint8 N×h×w×3, RGB."""
        activation, probabilities, real = self._session.run(list(OUTPUTS), {INPUT: cells})
        return Answers(probabilities, real, activation)

    def check_against(self, manifest: Manifest) -> None:
        """Run the graph on empty, black, white and noisy cells and hold it to the manifest.

        Raises:
            ModelError: a shape or a probability is not what the manifest promises.
        """
        shape = (manifest.height, manifest.width, 3)
        if (given := self._session.get_inputs()[0].shape[1:]) != list(shape):
            raise ModelError(f"{self._path} takes cells of {given}, the manifest says {shape}")
        noise = np.random.default_rng(0).integers(0, 256, (3, *shape), np.uint8)
        noise[0], noise[1] = 0, 255
        said = self.run(noise)
        count = len(manifest.labels)
        if said.probabilities.shape != (3, count) or said.real.shape != (3,):
            raise ModelError(
                f"{self._path} gives probabilities {said.probabilities.shape} and real "
                f"{said.real.shape} for 3 cells and {count} labels"
            )
        if said.activation.ndim != 4 or said.activation.shape[::3] != (3, count):
            raise ModelError(f"{self._path} gives activation maps {said.activation.shape}")
        if not np.allclose(said.probabilities.sum(axis=1), 1, atol=1e-4):
            raise ModelError(f"{self._path}: probabilities do not sum to 1")

    def _check(self) -> None:
        inputs = {put.name: put.type for put in self._session.get_inputs()}
        outputs = {put.name: put.type for put in self._session.get_outputs()}
        if inputs != {INPUT: "tensor(uint8)"}:
            raise ModelError(f"{self._path} takes {inputs}, a bundle takes uint8 `{INPUT}`")
        if outputs != dict.fromkeys(OUTPUTS, "tensor(float)"):
            raise ModelError(f"{self._path} gives {outputs}, a bundle gives float {OUTPUTS}")


def write_graph(model: "ACGAN", temperature: float, path: Path) -> None:
    """Write the averaged discriminator as ONNX. Import of TensorFlow is the caller's affair.

    tf2onnx sorts the outputs by name.
    """
    import tensorflow as tf
    import tf2onnx

    size = model.config.size
    signature = [tf.TensorSpec([None, size, size, 3], tf.uint8, name=INPUT)]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def classify(cells: tf.Tensor) -> dict[str, tf.Tensor]:
        return _answers(model, cells, temperature)

    proto, _ = tf2onnx.convert.from_function(classify, input_signature=signature, opset=OPSET)
    path.write_bytes(proto.SerializeToString())


def keras_answers(model: "ACGAN", temperature: float, cells: Cells) -> Answers:
    """The same outputs by Keras, for comparison."""
    said = _answers(model, cells, temperature)
    return Answers(
        *(np.asarray(said[name], np.float32) for name in ("probabilities", "real", "activation"))
    )


def _answers(
    model: "ACGAN", cells: "tf.Tensor | Cells", temperature: float
) -> dict[str, "tf.Tensor"]:
    import tensorflow as tf

    seen = model(cells)
    return {
        "probabilities": tf.nn.softmax(seen["logits"] / temperature),
        "real": tf.sigmoid(seen["source"]),
        "activation": seen["maps"],
    }
