"""Train the AC-GAN (or its discriminator alone). Import only after `start_tensorflow`."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from model import run
from model.config import TrainingConfig
from model.data.mixture import Mixture
from model.training import checkpoint
from model.training.acgan import ACGAN
from model.training.batches import Batches, batches
from model.training.board import Board
from model.training.devices import strategy
from model.training.epochs import Keeper, Watcher
from model.training.looking import Outputs, look

__all__ = ["Outputs", "dataset", "fit", "look"]


def fit(
    config: TrainingConfig,
    mixture: Mixture,
    folder: Path,
    told: Callable[[int, int, str], None],
    watchers: Sequence[Watcher] = (),
) -> ACGAN:
    """Train, keep the epoch of least log loss on the validation part, and return it.

    Takes up what an earlier, killed training left in `folder`: the weights in the end are those
    of a training that was never killed, to the bit (CPU).

    Args:
        config: of the run.
        mixture: of cells.
        folder: of the run, for weights, checkpoint and `history.jsonl`.
        told: called after each step with steps done, steps in all and a word on how it goes.
        watchers: called after each epoch; what they raise ends the training.

    Returns:
        The model, with the averaged weights of the best epoch.
    """
    drawn = batches(config, mixture)
    config = config.model_copy(update={"steps": config.steps or drawn.one_pass})
    with strategy(config.gpus).scope():
        model = ACGAN(config, np.unique(mixture.part("train").labels).tolist())
    done = checkpoint.restore(folder, model)
    board = [Board(folder)] if config.tensorboard else []
    keeper = Keeper(config, mixture, folder, told, [*board, *watchers], done)
    if not keeper.over:
        model.fit(
            dataset(drawn, config, done * config.steps),
            initial_epoch=done,
            epochs=config.epochs,
            steps_per_epoch=config.steps,
            shuffle=False,
            callbacks=[keeper],
            verbose=0,
        )
    model.averaged.set_weights(run.load_weights(folder))
    return model


def dataset(drawn: Batches, config: TrainingConfig, first: int = 0) -> tf.data.Dataset:
    """The batches from step `first` on, drawn while the step before them runs."""
    side = config.size

    def batch(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        cells, labels = tf.numpy_function(
            lambda number: drawn.batch(int(number)), [step], (tf.uint8, tf.int32)
        )
        return tf.ensure_shape(cells, (None, side, side, 3)), tf.ensure_shape(labels, (None,))

    return tf.data.Dataset.range(first, config.epochs * config.steps).map(batch).prefetch(2)
