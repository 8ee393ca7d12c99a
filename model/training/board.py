"""A run in TensorBoard: losses, figures, generated cells. Import only after `start_tensorflow`."""

from pathlib import Path
from typing import Final

import numpy as np
import tensorflow as tf

from model.labels import LABELS
from model.training.acgan import ACGAN
from model.training.epochs import Epoch

FOLDER: Final = "tensorboard"

DRAWN: Final = 8
"""Generated cells of a class, always from the same noise, so that one sees them change."""


class Board:
    """Writes each epoch to RUN/tensorboard."""

    def __init__(self, run: Path) -> None:
        """Go on writing where a killed training stopped."""
        self._writer = tf.summary.create_file_writer(str(run / FOLDER))

    def __call__(self, model: ACGAN, epoch: Epoch) -> None:
        """Write the scalars, and a strip of generated cells of each class."""
        scalars = {f"loss/{name}": value for name, value in epoch.losses.items()}
        scalars["validation/log loss"] = epoch.validation_loss
        scalars["validation/balanced accuracy"] = epoch.validation_balanced
        with self._writer.as_default(step=epoch.epoch + 1):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
            if model.config.mode == "acgan":
                for label, name in enumerate(LABELS):
                    tf.summary.image(f"generated/{name}", _strip(model, label))
        self._writer.flush()


def _strip(model: ACGAN, label: int) -> tf.Tensor:
    """DRAWN cells beside one another, float32 1×h×w×3 in 0…1."""
    noise = np.random.default_rng(0).normal(size=(DRAWN, model.config.noise)).astype(np.float32)
    made = model.generator([noise, np.full(DRAWN, label, np.int32)], training=False)
    return tf.concat(tf.unstack(made), axis=1)[tf.newaxis] / 2 + 0.5
