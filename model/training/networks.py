"""The two networks of the AC-GAN. Import only after `start_tensorflow`.

Neither has BatchNorm. In a discriminator fed with separate batches of real and generated cells,
its moving statistics fit neither: 53 % accuracy against 92 % for the same network trained plainly.
Group normalisation (Wu and He 2018) has no statistics to spoil. See docs/decisions/005.
"""

from collections.abc import Sequence
from typing import Final

import keras
from keras import layers

GROUPS: Final = 8


def discriminator(size: int, widths: Sequence[int], labels: int, dropout: float) -> keras.Model:
    """Two heads on one body: source and class.

    The class head is a 1×1 convolution averaged over the image, so that its maps, before the
    average, are class-activation maps (Zhou et al. 2016): their mean is the logit.

    Args:
        size: side of the input.
        widths: channels of the four stages.
        labels: number of classes.
        dropout: share of feature channels dropped in training.

    Returns:
        A model from float32 N×size×size×3 in −1…1 to a dict: `source`, logits float32 N;
        `logits`, float32 N×labels; `maps`, float32 N×size/8×size/8×labels.
    """
    cells = keras.Input((size, size, 3), name="cells")
    x = layers.Conv2D(widths[0], 4, strides=2, padding="same")(cells)
    x = layers.LeakyReLU(0.1)(x)
    for width in widths[1:3]:
        x = _stage(x, width)
        x = layers.AveragePooling2D(2)(x)
    x = layers.SpatialDropout2D(dropout)(_stage(x, widths[3]))
    maps = layers.Conv2D(labels, 1, name="maps")(x)
    logits = layers.GlobalAveragePooling2D(name="logits")(maps)
    source = layers.Dense(1, name="source_logit")(layers.GlobalAveragePooling2D()(x))
    outputs = {"source": layers.Flatten()(source)[:, 0], "logits": logits, "maps": maps}
    return keras.Model(cells, outputs, name="discriminator")


def generator(size: int, noise: int, labels: int) -> keras.Model:
    """A cell from a class and noise: G(c, z) of Odena et al. 2017.

    Returns:
        A model from [noise float32 N×noise, labels int32 N] to float32 N×size×size×3 in −1…1.
    """
    z = keras.Input((noise,), name="noise")
    label = keras.Input((), dtype="int32", name="label")
    embedded = layers.Embedding(labels, noise)(label)
    x = layers.Dense(4 * 4 * 96)(layers.Concatenate()([layers.Multiply()([z, embedded]), embedded]))
    x = _normal(layers.Reshape((4, 4, 96))(x))
    side, width = 4, 96
    while side < size // 2:
        side, width = side * 2, max(GROUPS, width * 2 // 3 // GROUPS * GROUPS)
        x = _normal(_doubled(x, width))
    cells = layers.Activation("tanh")(_doubled(x, 3))
    return keras.Model([z, label], cells, name="generator")


def _doubled(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Twice the side by sub-pixel convolution (Shi et al. 2016): no layer at full resolution."""
    rows, columns = x.shape[1:3]
    x = layers.Conv2D(4 * width, 3, padding="same")(x)
    x = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((rows, columns, 2, 2, width))(x))
    return layers.Reshape((rows * 2, columns * 2, width))(x)


def _stage(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    return _normal(layers.Conv2D(width, 3, padding="same", use_bias=False)(x))


def _normal(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LeakyReLU(0.1)(layers.GroupNormalization(GROUPS)(x))
