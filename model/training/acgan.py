"""The AC-GAN as one Keras model. Import only after `start_tensorflow`.

Odena, Olah and Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs", with the
switch of Karar et al. 2022: the class head learns from real cells, and from generated ones only
with weight `fake_class_weight`. Unlabelled real cells train the source head.
"""

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
import tensorflow as tf

from model.config import TrainingConfig
from model.labels import LABELS
from model.training.augment import Augment
from model.training.networks import discriminator, generator

WARM_UP: Final = 200
"""Steps in which the learning rates rise; a fifth of them all in a short training."""

ABSENT: Final = -1000.0
"""Bias, and so the logit, of a class that no training cell shows: its probability is 0."""


APART: Final = 0.05
"""Added to the mean difference of two cells in −1…1: the loss of equal cells has an end."""

EVERY_CLASS: Final = tuple(range(len(LABELS)))


class ACGAN(keras.Model):  # type: ignore[misc]  # keras ships no types
    """Generator, discriminator and the discriminator's moving average, which is exported.

    Calling it gives the averaged discriminator's outputs (see `networks.discriminator`) for cells,
    uint8 or float N×h×w×3 in 0…255.
    """

    def __init__(self, config: TrainingConfig, classes: Sequence[int] = EVERY_CLASS) -> None:
        """Build the networks and their optimisers from a configuration.

        Args:
            config: of the run; `steps` is not 0 where it is trained.
            classes: that training cells show; no other is generated or answered.
        """
        super().__init__()
        self.config = config
        self._classes = np.array(classes, np.int32)
        self.discriminator = discriminator(config, len(LABELS))
        _silence(self.discriminator, set(EVERY_CLASS) - set(classes))
        self.averaged = discriminator(config, len(LABELS))
        self.averaged.set_weights(self.discriminator.get_weights())
        self.averaged.trainable = False
        self.generator = generator(config.size, config.noise, len(LABELS))
        self.augment = Augment(config.seed, config.colour, config.exchange, config.blur)
        self._seeds = keras.random.SeedGenerator(config.seed + 1)
        self.critic_optimizer = _adam(config, config.rate)
        self.maker_optimizer = _adam(config, config.generator_rate)
        self.critic_optimizer.build(self.discriminator.trainable_variables)
        self.maker_optimizer.build(self.generator.trainable_variables)
        self.compile()
        self._replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self.built = True  # every network above is; there is nothing left to build

    def call(self, cells: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        """The averaged discriminator; `training` is taken for Keras' sake and changes nothing."""
        seen: dict[str, tf.Tensor] = self.averaged(scaled(cells), training=False)
        return seen

    def train_step(self, batch: tuple[tf.Tensor, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One step of discriminator, average and generator; `plain` has no generator step."""
        cells, labels = batch
        if self.config.mode == "plain":
            losses = self._plain_step(scaled(cells), labels)
        else:
            losses = self._adversarial_step(scaled(cells), labels)
        self._average()
        return losses

    def _plain_step(self, cells: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            seen = self.discriminator(self._seen_real(cells), training=True)
            loss = self._class_loss(seen["logits"], labels)
        self._apply(self.critic_optimizer, self.discriminator, loss, tape)
        return {"class": loss}

    def _adversarial_step(self, cells: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        # The generator runs once: the critic learns from the very cells that the maker is then
        # judged by. Its tape rests while the critic learns.
        with tf.GradientTape() as tape:
            noise, wanted = self._drawn()
            made = self.generator([noise, wanted], training=True)
        losses = self._critic_step(cells, labels, made, wanted)
        with tape:
            seen = self.discriminator(self._seen_fake(made), training=True)
            fooling = self._fooling(seen["source"])
            loss = fooling + self._class_loss(seen["logits"], wanted)
            if self.config.diversity:
                loss += self.config.diversity * _sameness(noise, made)
        self._apply(self.maker_optimizer, self.generator, loss, tape)
        return losses | {"fooling": fooling}

    def _critic_step(
        self, cells: tf.Tensor, labels: tf.Tensor, made: tf.Tensor, wanted: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        inputs = self._inputs(cells, made)
        with tf.GradientTape() as tape:
            real, fake = self._judged(inputs, tf.shape(cells)[0])
            class_loss = self._class_loss(real["logits"], labels)
            source_loss = self._source_loss(real["source"], fake["source"])
            loss = class_loss + self.config.source_weight * source_loss
            loss += self.config.fake_class_weight * self._class_loss(fake["logits"], wanted)
        self._apply(self.critic_optimizer, self.discriminator, loss, tape)
        return {"class": class_loss, "source": source_loss}

    def _inputs(self, cells: tf.Tensor, made: tf.Tensor) -> list[tf.Tensor]:
        """One batch of both where that changes no output; BatchNorm gets one of each."""
        if self.config.normalisation == "batch":
            return [self._seen_real(cells), self._seen_fake(made)]
        if self.config.augment_fakes:
            return [self._seen_real(tf.concat([cells, made], 0))]
        return [tf.concat([self._seen_real(cells), self._seen_fake(made)], 0)]

    def _judged(
        self, inputs: list[tf.Tensor], count: tf.Tensor
    ) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
        """The discriminator's outputs for the real cells, `count` of them, and the generated."""
        seen = [self.discriminator(batch, training=True) for batch in inputs]
        if len(seen) == 2:
            return seen[0], seen[1]
        both = seen[0].items()
        return {k: v[:count] for k, v in both}, {k: v[count:] for k, v in both}

    def _seen_real(self, cells: tf.Tensor) -> tf.Tensor:
        return self.augment(cells) if self.config.augment else cells

    def _seen_fake(self, made: tf.Tensor) -> tf.Tensor:
        both = self.config.augment and self.config.augment_fakes
        return self.augment(made) if both else made

    def _fooling(self, source: tf.Tensor) -> tf.Tensor:
        if self.config.maker_loss == "paper":
            return -tf.reduce_mean(tf.nn.softplus(source))  # mean of log P(fake)
        # Not saturating: maximise log P(real), as in Goodfellow et al. 2014.
        return tf.reduce_mean(tf.nn.softplus(-source))

    def _drawn(self) -> tuple[tf.Tensor, tf.Tensor]:
        """Noise and wanted classes; the second half wants what the first half does."""
        count = max(1, self.config.fakes // self._replicas)
        noise = keras.random.normal((count, self.config.noise), seed=self._seeds)
        half = (count + 1) // 2
        drawn = keras.random.randint((half,), 0, len(self._classes), seed=self._seeds)
        wanted = tf.gather(self._classes, drawn)
        return noise, tf.concat([wanted, wanted], 0)[:count]

    def _class_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Smoothed cross entropy, averaged over the cells that have a label."""
        few = self.config.label_smoothing
        shown = np.isin(EVERY_CLASS, self._classes) / len(self._classes)
        wanted = tf.one_hot(labels, len(LABELS)) * (1 - few) + few * shown.astype(np.float32)
        each = tf.nn.softmax_cross_entropy_with_logits(wanted, logits)
        return _mean_where(labels >= 0, each)

    def _source_loss(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        target = tf.fill(tf.shape(real), 1 - self.config.source_smoothing)
        on_real = tf.nn.sigmoid_cross_entropy_with_logits(target, real)
        return tf.reduce_mean(on_real) + tf.reduce_mean(tf.nn.softplus(fake))

    def _apply(
        self,
        optimizer: keras.Optimizer,
        network: keras.Model,
        loss: tf.Tensor,
        tape: tf.GradientTape,
    ) -> None:
        weights = network.trainable_variables
        # `.value`: TensorFlow makes no zeros like a Keras variable, and `plain` leaves the source
        # head unconnected.
        gradients = tape.gradient(
            loss,
            [weight.value for weight in weights],
            output_gradients=tf.fill((), 1 / self._replicas),  # the optimiser adds devices up
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
        optimizer.apply_gradients(zip(gradients, weights, strict=True))

    def _average(self) -> None:
        """Move the average; quickly at first, so that it forgets the first weights."""
        step = tf.cast(self.critic_optimizer.iterations, tf.float32)
        decay = tf.minimum(self.config.average, (1 + step) / (10 + step))
        for slow, fast in zip(self.averaged.weights, self.discriminator.weights, strict=True):
            slow.assign(decay * slow + (1 - decay) * fast)


def scaled(cells: tf.Tensor) -> tf.Tensor:
    """Cells 0…255 as float32 in −1…1: the only rescaling, inside the exported graph too."""
    return tf.cast(cells, tf.float32) / 127.5 - 1


def _sameness(noise: tf.Tensor, made: tf.Tensor) -> tf.Tensor:
    """How little two cells of one class differ for how much their noise does; small is varied.

    Mao et al. 2019, "Mode seeking generative adversarial networks", with a floor that bounds it. Of
    cells alone in their batch, 0.
    """
    half = noise.shape[0] // 2
    if not half:
        return tf.zeros(())
    apart = tf.reduce_mean(tf.abs(made[:half] - made[-half:]), (1, 2, 3))
    meant = tf.reduce_mean(tf.abs(noise[:half] - noise[-half:]), 1)
    return tf.reduce_mean(meant / (apart + APART))


def _adam(config: TrainingConfig, rate: float) -> keras.Optimizer:
    total = config.epochs * config.steps
    if config.schedule == "constant":
        return keras.optimizers.Adam(rate, beta_1=config.beta)
    warm_up = min(WARM_UP, total // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        rate / 10,
        decay_steps=max(1, total - warm_up),
        alpha=0.0,
        warmup_target=rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.Adam(schedule, beta_1=config.beta)


def _mean_where(kept: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    weights = tf.cast(kept, tf.float32)
    return tf.reduce_sum(values * weights) / tf.maximum(tf.reduce_sum(weights), 1)


def _silence(network: keras.Model, absent: set[int]) -> None:
    """No training cell shows these classes: they are never answered, and never learned."""
    bias = network.get_layer("maps").bias
    bias.assign(np.where(np.isin(EVERY_CLASS, list(absent)), ABSENT, bias.numpy()))
