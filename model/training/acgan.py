"""The AC-GAN as one Keras model. Import only after `start_tensorflow`.

Odena, Olah and Shlens 2017, "Conditional image synthesis with auxiliary classifier GANs", with the
switch of Karar et al. 2022: the class head learns from real cells, and from generated ones only
with weight `fake_class_weight`. Unlabelled real cells train the source head.
"""

import keras
import tensorflow as tf

from model.config import TrainingConfig
from model.labels import LABELS
from model.training.augment import Augment
from model.training.networks import discriminator, generator

WARM_UP = 200
"""Steps in which the learning rates rise; a fifth of them all in a short training."""


class ACGAN(keras.Model):  # type: ignore[misc]  # keras ships no types
    """Generator, discriminator and the discriminator's moving average, which is exported.

    Calling it gives the averaged discriminator's outputs (see `networks.discriminator`) for cells,
    uint8 or float N×h×w×3 in 0…255.
    """

    def __init__(self, config: TrainingConfig) -> None:
        """Build the networks and their optimisers from a configuration."""
        super().__init__()
        self.config = config
        body = (config.size, config.widths, len(LABELS), config.dropout)
        self.discriminator = discriminator(*body)
        self.averaged = discriminator(*body)
        self.averaged.set_weights(self.discriminator.get_weights())
        self.averaged.trainable = False
        self.generator = generator(config.size, config.noise, len(LABELS))
        self.augment = Augment(config.seed, config.colour)
        self._seeds = keras.random.SeedGenerator(config.seed + 1)
        self.critic_optimizer = _adam(config, config.rate)
        self.maker_optimizer = _adam(config, config.generator_rate)
        self.compile()
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
            losses = self._critic_step(scaled(cells), labels) | self._maker_step()
        self._average()
        return losses

    def _plain_step(self, cells: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            seen = self.discriminator(self.augment(cells), training=True)
            loss = self._class_loss(seen["logits"], labels)
        self._apply(self.critic_optimizer, self.discriminator, loss, tape)
        return {"class": loss}

    def _critic_step(self, cells: tf.Tensor, labels: tf.Tensor) -> dict[str, tf.Tensor]:
        count = tf.shape(cells)[0]
        made, wanted = self._made()
        # One pass over both: without BatchNorm no cell's output depends on its neighbours.
        both = self.augment(tf.concat([cells, made], 0))
        with tf.GradientTape() as tape:
            seen = self.discriminator(both, training=True)
            logits, source = seen["logits"], seen["source"]
            class_loss = self._class_loss(logits[:count], labels)
            source_loss = self._source_loss(source[:count], source[count:])
            loss = class_loss + self.config.source_weight * source_loss
            loss += self.config.fake_class_weight * self._class_loss(logits[count:], wanted)
        self._apply(self.critic_optimizer, self.discriminator, loss, tape)
        return {"class": class_loss, "source": source_loss}

    def _maker_step(self) -> dict[str, tf.Tensor]:
        with tf.GradientTape() as tape:
            made, wanted = self._made()
            seen = self.discriminator(self.augment(made), training=True)
            # Not saturating: maximise log P(real), as in Goodfellow et al. 2014.
            fooling = tf.reduce_mean(tf.nn.softplus(-seen["source"]))
            loss = fooling + self._class_loss(seen["logits"], wanted)
        self._apply(self.maker_optimizer, self.generator, loss, tape)
        return {"fooling": fooling}

    def _made(self) -> tuple[tf.Tensor, tf.Tensor]:
        shape = (self.config.fakes,)
        noise = keras.random.normal((*shape, self.config.noise), seed=self._seeds)
        wanted = keras.random.randint(shape, 0, len(LABELS), seed=self._seeds)
        return self.generator([noise, wanted], training=True), wanted

    def _class_loss(self, logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Smoothed cross entropy, averaged over the cells that have a label."""
        few = self.config.label_smoothing
        wanted = tf.one_hot(labels, len(LABELS)) * (1 - few) + few / len(LABELS)
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


def _adam(config: TrainingConfig, rate: float) -> keras.Optimizer:
    total = config.epochs * config.steps
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
