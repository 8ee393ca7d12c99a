"""The two networks of the AC-GAN. Import only after `start_tensorflow`.

By default neither has BatchNorm. In a discriminator fed with separate batches of real and generated
cells, its moving statistics fit neither: 53 % accuracy against 92 % for the same network trained
plainly. Group normalisation (Wu and He 2018) has no statistics to spoil. See docs/decisions/005.
"""

from typing import Final

import keras
from keras import layers

from model.config import GROUPS, TrainingConfig
from model.training.density import standardised

SMALLEST_START: Final = 4
"""Side of the generator's first map: 4 to 7 where the size allows it."""


def discriminator(config: TrainingConfig, labels: int) -> keras.Model:
    """Two heads on one body: source and class.

    The class head is a 1×1 convolution averaged over the image, so that its maps, before the
    average, are class-activation maps (Zhou et al. 2016): their mean is the logit.

    Args:
        config: its size, widths, kernel, normalisation and dropout.
        labels: number of classes.

    Returns:
        A model from float32 N×size×size×3 in −1…1 to a dict: `source`, logits float32 N;
        `logits`, float32 N×labels; `maps`, float32 N×h×w×labels; `features`, float32
        N×widths[-1], averaged over the image. The first two stages, then every other, halve an even
        side by their stride: 64 to 8 and 28 to 7 with five stages.
    """
    cells = keras.Input((config.size, config.size, 3), name="cells")
    x, stain = standardised(cells) if config.standardise else (cells, None)
    x = _convolution(config, config.widths[0], 4, strides=2)(x)
    x = layers.LeakyReLU(0.1)(x)
    for number, width in enumerate(config.widths[1:]):
        # A stride: pooling after a convolution at the full side took twice the time.
        x = _stage(config, x, width, strides=2 if number % 2 == 0 and x.shape[1] % 2 == 0 else 1)
    x = layers.SpatialDropout2D(config.dropout)(x)
    maps = layers.Conv2D(labels, 1, name="maps")(x)
    logits = layers.GlobalAveragePooling2D(name="logits")(maps)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    judged = features if stain is None else layers.Concatenate()([features, _told(stain)])
    source = layers.Flatten()(layers.Dense(1, name="source_logit")(judged))[:, 0]
    outputs = {"source": source, "logits": logits, "maps": maps, "features": features}
    return keras.Model(cells, outputs, name="discriminator")


def generator(size: int, noise: int, labels: int) -> keras.Model:
    """A cell from a class and noise: G(c, z) of Odena et al. 2017.

    Returns:
        A model from [noise float32 N×noise, labels int32 N] to float32 N×size×size×3 in −1…1.
    """
    side, width = size, 96
    while side % 2 == 0 and side >= 2 * SMALLEST_START:
        side //= 2
    z = keras.Input((noise,), name="noise")
    label = keras.Input((), dtype="int32", name="label")
    embedded = layers.Embedding(labels, noise)(label)
    x = layers.Concatenate()([layers.Multiply()([z, embedded]), embedded])
    x = _grouped(layers.Reshape((side, side, width))(layers.Dense(side * side * width)(x)))
    while side < size // 2:
        side, width = side * 2, max(GROUPS, width * 2 // 3 // GROUPS * GROUPS)
        x = _grouped(_doubled(x, width))
    cells = layers.Activation("tanh")(_doubled(x, 3))
    return keras.Model([z, label], cells, name="generator")


def _doubled(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    """Twice the side by sub-pixel convolution (Shi et al. 2016): no layer at full resolution."""
    rows, columns = x.shape[1:3]
    x = layers.Conv2D(4 * width, 3, padding="same")(x)
    x = layers.Permute((1, 3, 2, 4, 5))(layers.Reshape((rows, columns, 2, 2, width))(x))
    return layers.Reshape((rows * 2, columns * 2, width))(x)


def _stage(
    config: TrainingConfig, x: keras.KerasTensor, width: int, strides: int
) -> keras.KerasTensor:
    normed = config.normalisation in ("group", "batch")
    x = _convolution(config, width, config.kernel, strides=strides, use_bias=not normed)(x)
    if config.normalisation == "batch":
        return layers.LeakyReLU(0.1)(layers.BatchNormalization(momentum=0.8)(x))
    return _grouped(x) if normed else layers.LeakyReLU(0.1)(x)


def _told(stain: keras.KerasTensor) -> keras.KerasTensor:
    """What standardising took away, for the source head: else any colour would pass for real."""
    return layers.LeakyReLU(0.1)(layers.Dense(16, name="stain")(stain))


def _convolution(config: TrainingConfig, width: int, side: int, **given: int | bool) -> keras.Layer:
    layer = layers.Conv2D(width, side, padding="same", **given)
    # Miyato et al. 2018, one power iteration a step.
    return layers.SpectralNormalization(layer) if config.normalisation == "spectral" else layer


def _grouped(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LeakyReLU(0.1)(layers.GroupNormalization(GROUPS)(x))
