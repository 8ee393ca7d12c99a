"""Augmentation inside the training step, the same for real and generated cells.

Differentiable, as in Zhao et al. 2020 ("Differentiable augmentation for data-efficient GAN
training"): the generator learns through it and does not learn to draw it. Import only after
`start_tensorflow`.
"""

from collections.abc import Callable
from typing import Final

import keras
import tensorflow as tf

DARKEST: Final = 0.02
"""Transmission below which no optical density is taken."""


class Augment(keras.layers.Layer):  # type: ignore[misc]  # keras ships no types
    """Flips, quarter turns, stain, illumination, colour cast and blur, drawn per cell.

    Stain strength follows Beer and Lambert: transmission to the power s is a stain s times as
    dense. Input and output: float32 N×h×w×3 in −1…1.
    """

    def __init__(self, seed: int, colour: float) -> None:
        """Seed of all draws; strength of the colour changes, 1 being strong, 0 none."""
        super().__init__(trainable=False)
        self._seeds = keras.random.SeedGenerator(seed)
        self._colour = colour

    def call(self, cells: tf.Tensor) -> tf.Tensor:
        """Augment a batch."""
        light = (_turned(cells, self._uniform) + 1) / 2
        light = self._stained(light)
        light = self._tinted(light)
        return tf.clip_by_value(self._blurred(light), 0, 1) * 2 - 1

    def _stained(self, light: tf.Tensor) -> tf.Tensor:
        each = (tf.shape(light)[0], 1, 1, 3)
        strength = tf.exp(self._normal(each) * 0.2 * self._colour)
        lamp = tf.exp(self._normal(each) * 0.08 * self._colour)
        return tf.maximum(light, DARKEST) ** strength * lamp

    def _tinted(self, light: tf.Tensor) -> tf.Tensor:
        """Turn the hue about the grey axis and change saturation and brightness."""
        each = self._each(light)
        grey = tf.reduce_mean(light, axis=-1, keepdims=True)
        chroma = light - grey
        angle = self._normal(each) * 0.2 * self._colour
        # Rodrigues' rotation about (1, 1, 1)/√3: the cross product with the axis is this roll.
        across = (tf.roll(chroma, 1, -1) - tf.roll(chroma, -1, -1)) / 3**0.5
        turned = chroma * tf.cos(angle) + across * tf.sin(angle)
        saturation = tf.exp(self._normal(each) * 0.35 * self._colour)
        lamp = tf.exp(self._normal(each) * 0.12 * self._colour)
        return (grey + turned * saturation) * lamp

    def _blurred(self, light: tf.Tensor) -> tf.Tensor:
        soft = tf.nn.avg_pool2d(light, 3, 1, "SAME")
        share = self._uniform(self._each(light), -1.0, 1.0)
        return light + (soft - light) * tf.maximum(share, 0)

    def _each(self, light: tf.Tensor) -> tf.Tensor:
        return (tf.shape(light)[0], 1, 1, 1)

    def _uniform(self, shape: tf.Tensor, low: float, high: float) -> tf.Tensor:
        return keras.random.uniform(shape, low, high, seed=self._seeds)

    def _normal(self, shape: tf.Tensor) -> tf.Tensor:
        return keras.random.normal(shape, seed=self._seeds)


def _turned(cells: tf.Tensor, uniform: Callable[..., tf.Tensor]) -> tf.Tensor:
    """Each cell in one of the eight ways that a square can lie."""
    each = (tf.shape(cells)[0], 1, 1, 1)
    cells = tf.where(uniform(each, 0.0, 1.0) < 0.5, cells, cells[:, ::-1])
    cells = tf.where(uniform(each, 0.0, 1.0) < 0.5, cells, cells[:, :, ::-1])
    return tf.where(uniform(each, 0.0, 1.0) < 0.5, cells, tf.transpose(cells, (0, 2, 1, 3)))
