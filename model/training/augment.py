"""Augmentation inside the training step, the same for real and generated cells.

Differentiable, as in Zhao et al. 2020 ("Differentiable augmentation for data-efficient GAN
training"): the generator learns through it and does not learn to draw it. Import only after
`start_tensorflow`.
"""

from collections.abc import Callable
from typing import Final

import keras
import tensorflow as tf

from model.training.density import DARKEST

SCALES: Final = (0.5, 2.0)
"""Bounds of the change of a cell's spread of density: an almost empty cell stays quiet."""


class Augment(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Flips, quarter turns, stain, lamp and blur, drawn per cell.

    Colour is changed in optical density, where dyes add up (Beer and Lambert). A cell takes on, in
    part, the mean and spread of density of another cell of the batch, which may come from another
    laboratory, so that a stain tells less of the class (after RandStainNA, Shen et al. 2022, which
    draws mean and spread from a fitted distribution). Then its dyes are made stronger or weaker
    and mixed a little, and the lamp gets a tint. Input and output: float32 N×h×w×3 in −1…1.
    """

    def __init__(self, seed: int, colour: float, exchange: float, blur: float) -> None:
        """Set what is drawn.

        Args:
            seed: of all draws.
            colour: strength of the random colour changes, 1 being strong, 0 none.
            exchange: share of cells that take on another cell's stain, 0 to 1.
            blur: most blur, 0 to 2: 1 is a mean of 3×3 pixels, 2 a spread (sigma) of 1.8 pixels.
        """
        super().__init__(trainable=False)
        self._seeds = keras.random.SeedGenerator(seed)
        self._colour = colour
        self._exchange = exchange
        self._blur = blur

    def call(self, cells: tf.Tensor) -> tf.Tensor:
        """Augment a batch."""
        light = (_turned(cells, self._uniform) + 1) / 2
        light = self._stained(light)
        return tf.clip_by_value(self._blurred(light), 0, 1) * 2 - 1

    def _stained(self, light: tf.Tensor) -> tf.Tensor:
        density = -tf.math.log(tf.maximum(light, DARKEST))
        each = (tf.shape(light)[0], 1, 3)
        scale, shift = self._exchanged(density) if self._exchange else (1.0, 0.0)
        strength = tf.exp(self._normal(each) * 0.2 * self._colour)
        mixing = tf.eye(3) + self._normal((each[0], 3, 3)) * 0.12 * self._colour
        lamp = self._normal(each) * 0.08 * self._colour
        # All of it is one affine map a cell: density times a 3×3 matrix, and an offset.
        matrix = tf.transpose(scale * strength, (0, 2, 1)) * mixing
        offset = tf.matmul(shift * strength, mixing) + lamp
        pixels = tf.reshape(density, (-1, density.shape[1] * density.shape[2], 3))
        changed = tf.matmul(pixels, matrix) + offset
        return tf.exp(-tf.reshape(changed, tf.shape(density)))

    def _exchanged(self, density: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Scale and shift, each N×1×3, that bring cells towards another's mean and spread."""
        mean, variance = tf.nn.moments(tf.stop_gradient(density), (1, 2))
        mean, spread = mean[:, None], tf.sqrt(variance[:, None] + 1e-4)
        count = tf.shape(density)[0]
        other = tf.argsort(self._uniform((count,), 0.0, 1.0))
        taken = tf.cast(self._uniform((count, 1, 1), 0.0, 1.0) < self._exchange, tf.float32)
        share = taken * self._uniform((count, 1, 1), 0.0, 1.0)
        ratio = tf.gather(spread, other) / spread
        scale = tf.clip_by_value(1 + share * (ratio - 1), *SCALES)
        return scale, mean + share * (tf.gather(mean, other) - mean) - mean * scale

    def _blurred(self, light: tf.Tensor) -> tf.Tensor:
        soft = _softened(light, 1)
        softer = _softened(soft, 2) if self._blur > 1 else soft
        level = self._uniform((tf.shape(light)[0], 1, 1, 1), -1.0, self._blur)
        near, far = tf.clip_by_value(level, 0, 1), tf.maximum(level - 1, 0)
        return light + (soft - light) * near + (softer - soft) * far

    def _uniform(self, shape: tf.Tensor, low: float, high: float) -> tf.Tensor:
        return keras.random.uniform(shape, low, high, seed=self._seeds)

    def _normal(self, shape: tf.Tensor) -> tf.Tensor:
        return keras.random.normal(shape, seed=self._seeds)


def _softened(light: tf.Tensor, step: int) -> tf.Tensor:
    """Mean of 3×3 pixels, each `step` from the next.

    By shifted sums, as TensorFlow's pooling is slow on few channels.
    """
    padded = tf.pad(light, ((0, 0), (step, step), (step, step), (0, 0)), "REFLECT")
    rows, columns = light.shape[1:3]
    down = tf.add_n([padded[:, n * step : n * step + rows] for n in range(3)])
    return tf.add_n([down[:, :, n * step : n * step + columns] for n in range(3)]) / 9


def _turned(cells: tf.Tensor, uniform: Callable[..., tf.Tensor]) -> tf.Tensor:
    """Each cell in one of the eight ways that a square can lie."""
    each = (tf.shape(cells)[0], 1, 1, 1)

    def maybe(turned: tf.Tensor, cells: tf.Tensor) -> tf.Tensor:
        # Arithmetic: `tf.where` with a condition a cell is ten times as slow.
        return cells + tf.round(uniform(each, 0.0, 1.0)) * (turned - cells)

    cells = maybe(tf.reverse(cells, (1,)), cells)
    cells = maybe(tf.reverse(cells, (2,)), cells)
    return maybe(tf.transpose(cells, (0, 2, 1, 3)), cells)
