"""Where the time of one AC-GAN step goes. Import after `start_tensorflow`."""

from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
import tensorflow as tf

from model.training.acgan import ACGAN, scaled
from model.training.batches import Batches

WARM = 3


def timed(call: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Median wall and CPU milliseconds of a call; CPU is of all threads."""
    return together({"": call}, repeats)[""]


def together(
    calls: dict[str, Callable[[], object]], repeats: int
) -> dict[str, tuple[float, float]]:
    """The same of several calls, in turns: what else the machine does falls on all alike."""
    for call in calls.values():
        for _ in range(WARM):
            call()
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            wall, cpu = perf_counter(), process_time()
            call()
            taken[name].append((perf_counter() - wall, process_time() - cpu))
    return {name: _medians(times) for name, times in taken.items()}


def _medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    wall, cpu = np.median(times, axis=0) * 1000
    return float(wall), float(cpu)


def parts(model: ACGAN, drawn: Batches) -> dict[str, Callable[[], object]]:
    """Each part of `train_step` as a call of its own, on the same number of cells."""
    cells, labels = (tf.constant(one) for one in drawn.batch(0))
    real = scaled(cells)
    noise, wanted = model._drawn()
    made = model.generator([noise, wanted], training=True)
    both = tf.concat([real, made], 0)
    count = tf.shape(real)[0]
    critic, maker = model.discriminator.trainable_variables, model.generator.trainable_variables
    steps = {
        "augmentation": lambda: (model.augment(both), model.augment(made)),
        "generator, forward": lambda: model.generator([noise, wanted], training=True),
        "discriminator on both, forward and back": lambda: _critic(model, both, count, labels),
        "discriminator on generated, forward and back to the cells": lambda: _maker(
            model, made, wanted
        ),
        "generator, back": lambda: _generator(model, noise, wanted),
        "optimisers": lambda: _optimisers(model, critic, maker),
        "moving average": model._average,
    }
    found: dict[str, Callable[[], object]] = {"drawing the batch": lambda: drawn.batch(1)}
    return found | {name: tf.function(call, autograph=False) for name, call in steps.items()}


def _critic(model: ACGAN, both: tf.Tensor, count: tf.Tensor, labels: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        real, fake = model._judged([both], count)
        loss = model._class_loss(real["logits"], labels)
        loss += model._source_loss(real["source"], fake["source"])
    values = [weight.value for weight in model.discriminator.trainable_variables]
    gradients: list[tf.Tensor] = tape.gradient(loss, values)
    return gradients


def _maker(model: ACGAN, made: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
    with tf.GradientTape() as tape:
        tape.watch(made)
        seen = model.discriminator(made, training=True)
        loss = model._fooling(seen["source"]) + model._class_loss(seen["logits"], wanted)
    return tape.gradient(loss, made)


def _generator(model: ACGAN, noise: tf.Tensor, wanted: tf.Tensor) -> list[tf.Tensor]:
    """Forward and back: the forward pass is timed alone as well and taken off by the caller."""
    with tf.GradientTape() as tape:
        made = model.generator([noise, wanted], training=True)
    values = [weight.value for weight in model.generator.trainable_variables]
    gradients: list[tf.Tensor] = tape.gradient(made, values)
    return gradients


def _optimisers(model: ACGAN, critic: list[tf.Variable], maker: list[tf.Variable]) -> None:
    for optimizer, weights in ((model.critic_optimizer, critic), (model.maker_optimizer, maker)):
        optimizer.apply_gradients([(tf.zeros_like(w.value), w) for w in weights])
