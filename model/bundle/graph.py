"""The exported graph: written through tf2onnx, run with onnxruntime as the worker runs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import onnxruntime

from imaging.types import Cells
from model.bundle.ood import Ruler
from model.errors import ModelError
from wire.manifest import Manifest

if TYPE_CHECKING:
    import tensorflow as tf

    from model.training.acgan import ACGAN

OPSET: Final = 18
INPUT: Final = "cells"
OUTPUTS: Final = ("activation", "probabilities", "real")
STRANGER: Final = "ood"
"""The output that only a bundle with `ood_above` has."""

AT_ONCE: Final = 256
"""Cells that one run of the session sees; bounds the memory."""

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
    ood: Floats | None = None
    """N, the higher, the stranger; None where the graph has no such output."""

    def furthest(self, other: "Answers") -> float:
        """The largest difference of any value of any output.

        Probabilities and `real`, which end at 1, are compared as they are. Activation maps and
        `ood`, which have no end, in units of the largest value that `other` has there (at least
        1): a float32 has seven digits, wherever its point is.
        """
        pairs = [
            (self.probabilities, other.probabilities),
            (self.real, other.real),
            (self.activation, other.activation),
        ]
        if self.ood is not None and other.ood is not None:
            pairs.append((self.ood, other.ood))
        return max(_difference(mine, theirs) for mine, theirs in pairs)

    def suggestions(self, abstain_below: float, ood_above: float | None) -> npt.NDArray[np.int64]:
        """What the worker would answer: the class's number, or -1 for `unidentified`."""
        best = self.probabilities.argmax(axis=1)
        kept = self.probabilities.max(axis=1) >= abstain_below
        if ood_above is not None and self.ood is not None:
            kept &= self.ood <= np.float32(ood_above)
        return np.where(kept, best, -1)


class Graph:
    """An ONNX classifier on one thread, its inputs and outputs checked on opening."""

    def __init__(self, path: Path) -> None:
        """Open a graph.

        Raises:
            ModelError: it cannot be loaded, or does not take and give what a bundle promises.
        """
        self._session = open_session(path)
        self._path = path
        self._check()

    def run(self, cells: Cells) -> Answers:
        """Classify cells, uint8 N×h×w×3, RGB; N is 1 or more."""
        parts = [
            self._session.run(
                self._outputs, {INPUT: np.ascontiguousarray(cells[start : start + AT_ONCE])}
            )
            for start in range(0, len(cells), AT_ONCE)
        ]
        activation, probabilities, real, *ood = map(np.concatenate, zip(*parts, strict=True))
        return Answers(probabilities, real, activation, ood[0] if ood else None)

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
        if manifest.ood_above is not None and (said.ood is None or said.ood.shape != (3,)):
            raise ModelError(
                f"{self._path} gives no `{STRANGER}` score a cell, and the manifest has a bound on "
                "it"
            )

    def _check(self) -> None:
        inputs = {put.name: put.type for put in self._session.get_inputs()}
        outputs = {put.name: put.type for put in self._session.get_outputs()}
        if inputs != {INPUT: "tensor(uint8)"}:
            raise ModelError(f"{self._path} takes {inputs}, a bundle takes uint8 `{INPUT}`")
        self._outputs = [*OUTPUTS, STRANGER] if STRANGER in outputs else list(OUTPUTS)
        if outputs != dict.fromkeys(self._outputs, "tensor(float)"):
            raise ModelError(f"{self._path} gives {outputs}, a bundle gives float {OUTPUTS}")


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open a graph on one thread, as the worker does.

    Raises:
        ModelError: it cannot be loaded.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        # The file's bytes: onnxruntime's exceptions have no common base but Exception.
        return onnxruntime.InferenceSession(
            path.read_bytes(), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelError(f"{path} cannot be loaded by onnxruntime: {error}") from error


def _difference(mine: Floats, theirs: Floats) -> float:
    if mine.shape != theirs.shape:
        raise ValueError(f"outputs of shapes {mine.shape} and {theirs.shape} do not compare")
    return float(np.abs(mine - theirs).max() / max(1.0, float(np.abs(theirs).max())))


@dataclass(frozen=True)
class Head:
    """What is added to the discriminator: constants of calibration."""

    temperature: float
    ruler: Ruler | None = None
    """Of the `ood` output; None for a graph without one."""


def write_graph(model: "ACGAN", head: Head, path: Path) -> None:
    """Write the averaged discriminator as ONNX. Import of TensorFlow is the caller's affair.

    tf2onnx sorts the outputs by name.
    """
    import tensorflow as tf
    import tf2onnx

    size = model.config.size
    signature = [tf.TensorSpec([None, size, size, 3], tf.uint8, name=INPUT)]

    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]  # TensorFlow ships no types
    def classify(cells: tf.Tensor) -> dict[str, tf.Tensor]:
        return _answers(model, cells, head)

    proto, _ = tf2onnx.convert.from_function(classify, input_signature=signature, opset=OPSET)
    path.write_bytes(proto.SerializeToString())


def keras_answers(model: "ACGAN", head: Head, cells: Cells) -> Answers:
    """The same outputs by Keras, for comparison."""
    parts = [
        {
            name: np.asarray(value, np.float32)
            for name, value in _answers(model, cells[start : start + AT_ONCE], head).items()
        }
        for start in range(0, len(cells), AT_ONCE)
    ]
    said = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Answers(said["probabilities"], said["real"], said["activation"], said.get(STRANGER))


def _answers(model: "ACGAN", cells: "tf.Tensor | Cells", head: Head) -> dict[str, "tf.Tensor"]:
    import tensorflow as tf

    seen = model(cells)
    answers = {
        "probabilities": tf.nn.softmax(seen["logits"] / head.temperature),
        "real": tf.sigmoid(seen["source"]),
        "activation": seen["maps"],
    }
    if head.ruler is not None:
        answers[STRANGER] = _distance(seen["features"], head.ruler)
    return answers


def _distance(features: "tf.Tensor", ruler: Ruler) -> "tf.Tensor":
    """`Ruler.distance` as part of a graph."""
    import tensorflow as tf

    whitened = tf.matmul(features, tf.constant(ruler.whitening, tf.float32))

    def squares(centres: npt.NDArray[np.float64]) -> tf.Tensor:
        each = (whitened[:, None] - tf.constant(centres, tf.float32)) ** 2
        return tf.reduce_min(tf.reduce_sum(each, axis=2), axis=1)

    known = squares(ruler.centres)
    distance = tf.sqrt(known) / ruler.unit
    if not len(ruler.strange):
        return distance
    nearer = known - squares(ruler.strange) - ruler.nearer
    return tf.maximum(distance, 1 + nearer / ruler.spread)
