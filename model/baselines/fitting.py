"""A Keras classifier fitted plainly. Import only after `start_tensorflow`."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from model.baselines.baseline import ABSENT, BaselineConfig, Told
from model.data.cells import CellSet
from model.errors import ModelError
from model.evaluation.calibration import log_loss, softmax
from model.evaluation.measures import Numbers, balanced_accuracy
from model.labels import LABELS
from model.training.acgan import scaled
from model.training.augment import Augment
from model.training.batches import BalancedBatches, chances

Step = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Fitting:
    """How a network is fitted."""

    epochs: int
    batch: int
    rate: float
    """Peak learning rate of Adam."""
    augment: bool
    seed: int

    @classmethod
    def of(cls, config: BaselineConfig, rate: float, augment: bool) -> "Fitting":
        """From a configuration, and the baseline's own rate where it names none."""
        return cls(config.epochs, config.batch, config.rate or rate, augment, config.cells.seed)


def head(features: keras.KerasTensor) -> keras.KerasTensor:
    """Logits from pooled features, float32 N×values."""
    dropped = keras.layers.Dropout(0.2)(features)
    return keras.layers.Dense(len(LABELS), name="logits")(dropped)


def fit_network(
    network: keras.Model, train: CellSet, validation: CellSet, how: Fitting, told: Told
) -> None:
    """Fit, and leave the network with the weights of its best epoch on the validation part.

    Args:
        network: from float32 N×h×w×3 in −1…1 to logits N×labels, its last layer `logits`.
        train: labelled; each pair of source and class is drawn alike.
        validation: what the best epoch is chosen on, by log loss weighted in the same way.
        how: see there.
        told: called after each step.

    Raises:
        ModelError: the loss was no number after every epoch.
    """
    _silence_absent(network, train)
    drawn = BalancedBatches(train, _none_of(train), size=how.batch, share=0.0, seed=how.seed)
    total = how.epochs * drawn.one_pass
    step = _step(network, how, total, train.cells.shape[2:])
    best, kept = np.inf, None
    word = ""
    for number in range(total):
        cells, labels = drawn.batch(number)
        step(tf.constant(cells), tf.constant(labels))
        if (number + 1) % drawn.one_pass == 0:
            loss, word = _judged(network, validation)
            if loss < best:
                best, kept = loss, network.get_weights()
        told(number + 1, total, word)
    if kept is None:
        raise ModelError(f"{network.name} diverged: give a rate below {how.rate}")
    network.set_weights(kept)


def network_outputs(network: keras.Model, cells: CellSet) -> Numbers:
    """What a network gives for N cells, a batch at a time: N×values."""
    run = tf.function(
        lambda batch: network(scaled(batch), training=False),
        input_signature=[tf.TensorSpec((None, *cells.cells.shape[2:]), tf.uint8)],
    )
    seen = [np.asarray(run(tf.constant(batch)), np.float64) for _, batch in cells.batches(128)]
    return np.concatenate(seen)


def _step(network: keras.Model, how: Fitting, total: int, shape: tuple[int, ...]) -> Step:
    decay = keras.optimizers.schedules.CosineDecay(how.rate, total)
    optimizer = keras.optimizers.Adam(decay)
    optimizer.build(network.trainable_variables)
    augment = Augment(how.seed, colour=1.0, exchange=0.5, blur=2.0) if how.augment else None

    taken = [tf.TensorSpec((None, *shape), tf.uint8), tf.TensorSpec((None,), tf.int32)]

    @tf.function(input_signature=taken)  # type: ignore[untyped-decorator]  # it ships no types
    def step(cells: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        seen = augment(scaled(cells)) if augment else scaled(cells)
        with tf.GradientTape() as tape:
            logits = network(seen, training=True)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(each)
        gradients = tape.gradient(loss, [v.value for v in network.trainable_variables])
        optimizer.apply_gradients(zip(gradients, network.trainable_variables, strict=True))
        return loss

    return step  # type: ignore[no-any-return]  # nor the function that it makes


def _judged(network: keras.Model, validation: CellSet) -> tuple[float, str]:
    logits = network_outputs(network, validation)
    labels = validation.labels
    loss = log_loss(softmax(logits, 1.0), labels, chances(validation))
    balanced = balanced_accuracy(labels, logits.argmax(axis=1))
    return loss, f"validation {balanced:.3f}, log loss {loss:.3f}"


def _silence_absent(network: keras.Model, train: CellSet) -> None:
    """A class that no training cell shows is never answered, and never learned."""
    bias = network.get_layer("logits").bias
    absent = ~np.isin(np.arange(len(LABELS)), train.labels)
    bias.assign(np.where(absent, ABSENT, bias.numpy()))


def _none_of(cells: CellSet) -> CellSet:
    return cells.take(np.zeros(len(cells), bool))
