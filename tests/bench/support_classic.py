"""The AC-GAN as it is commonly written in Keras: three `train_on_batch` and a `predict` a step.

After the widely copied AC-GAN examples, in our own words, around this project's two networks.
Import after `start_tensorflow`.
"""

import keras
import numpy as np
import numpy.typing as npt

from model.config import TrainingConfig
from model.labels import LABELS
from model.training.networks import discriminator, generator

RATE = 2e-4
BETA = 0.5


class Classic:
    """Real cells in one batch, generated in another, the generator through the combined model."""

    def __init__(self, config: TrainingConfig) -> None:
        self._config = config
        self._draw = np.random.default_rng(config.seed)
        body = discriminator(config, len(LABELS))
        heads = [body.output["source"], body.output["logits"]]
        losses = [
            keras.losses.BinaryCrossentropy(from_logits=True),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ]
        self.critic = keras.Model(body.input, heads)
        self.critic.compile(keras.optimizers.Adam(RATE, beta_1=BETA), loss=losses)
        self.maker = generator(config.size, config.noise, len(LABELS))
        self.critic.trainable = False
        noise, label = self.maker.input
        self.combined = keras.Model([noise, label], self.critic(self.maker.output))
        self.combined.compile(keras.optimizers.Adam(RATE, beta_1=BETA), loss=losses)
        self.critic.trainable = True

    def step(self, cells: npt.NDArray[np.uint8], labels: npt.NDArray[np.int32]) -> None:
        """One step on labelled cells."""
        count = self._config.fakes
        noise = self._draw.normal(size=(count, self._config.noise)).astype(np.float32)
        wanted = self._draw.integers(0, len(LABELS), count).astype(np.int32)
        made = self.maker.predict([noise, wanted], verbose=0)
        real = cells.astype(np.float32) / 127.5 - 1
        self.critic.train_on_batch(real, [np.ones((len(real), 1), np.float32), labels])
        self.critic.train_on_batch(made, [np.zeros((count, 1), np.float32), wanted])
        self.combined.train_on_batch([noise, wanted], [np.ones((count, 1), np.float32), wanted])

    def answers(self, cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """The likeliest class of each cell."""
        real = cells.astype(np.float32) / 127.5 - 1
        said: npt.NDArray[np.int64] = self.critic.predict_on_batch(real)[1].argmax(axis=1)
        return said
