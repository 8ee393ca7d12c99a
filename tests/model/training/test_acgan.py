"""One step of the AC-GAN, in every way that an ablation may ask for."""

from typing import Any

import numpy as np
import pytest

from model.config import TrainingConfig
from model.presets import preset
from model.runtime import start_tensorflow

SMALL: dict[str, Any] = {
    "size": 28,
    "batch": 8,
    "fakes": 4,
    "widths": (8, 8, 8, 8),
    "noise": 8,
    "epochs": 1,
    "steps": 1,
    "threads": 1,
}

Batch = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]


@pytest.fixture(scope="module", autouse=True)
def _tensorflow() -> None:
    start_tensorflow(1, 1)


@pytest.fixture
def batch() -> Batch:
    draw = np.random.default_rng(0)
    labels = np.array([0, 1, 2, 0, 1, 2, -1, -1], np.int32)
    return draw.integers(0, 256, (8, 28, 28, 3), np.uint8), labels


def _stepped(cells_and_labels: Batch, classes: tuple[int, ...] = (0, 1, 2), **changed: Any) -> Any:
    from model.training.acgan import ACGAN

    model = ACGAN(TrainingConfig(**SMALL | changed), classes)
    before = [weight.numpy().copy() for weight in model.discriminator.trainable_variables]
    losses = model.train_step(cells_and_labels)
    assert all(np.isfinite(float(loss)) for loss in losses.values()), losses
    after = [weight.numpy().copy() for weight in model.discriminator.trainable_variables]
    assert any(not np.array_equal(one, other) for one, other in zip(before, after, strict=True))
    return model, losses


@pytest.mark.parametrize("normalisation", ["none", "group", "batch", "spectral"])
def test_every_normalisation_learns_at_the_papers_size(batch: Batch, normalisation: str) -> None:
    model, losses = _stepped(batch, normalisation=normalisation)
    assert losses.keys() == {"class", "source", "fooling"}
    assert model(batch[0])["maps"].shape == (8, 7, 7, 3)
    names = {type(layer).__name__ for layer in model.discriminator.layers}
    assert ("BatchNormalization" in names) == (normalisation == "batch")
    assert ("SpectralNormalization" in names) == (normalisation == "spectral")


@pytest.mark.parametrize("size", [28, 32, 36, 48, 60, 64])
def test_generated_cells_have_the_size_of_real_ones(size: int) -> None:
    from model.training.networks import generator

    made = generator(size, 8, 3)([np.zeros((2, 8), np.float32), np.array([0, 1], np.int32)])
    assert made.shape == (2, size, size, 3)


@pytest.mark.parametrize("mode", ["supervised", "semi"])
def test_only_the_supervised_mode_learns_classes_from_generated_cells(
    batch: Batch, mode: Any
) -> None:
    import tensorflow as tf

    model, _ = _stepped(batch, **preset("paper", mode) | SMALL)
    fakes = tf.constant(batch[0][:4], tf.float32) / 127.5 - 1
    unlabelled = np.full(8, -1, np.int32)  # then generated cells alone could teach classes
    before = model.discriminator.get_layer("maps").kernel.numpy().copy()
    model._critic_step(fakes, unlabelled[:4], fakes, tf.constant([0, 1, 2, 0]))
    moved = model.discriminator.get_layer("maps").kernel.numpy().copy() - before
    assert (np.abs(moved).max() > 5e-4) == (mode == "supervised")


def test_without_an_average_the_last_weights_are_exported(batch: Batch) -> None:
    model, _ = _stepped(batch, average=0.0)
    for slow, fast in zip(model.averaged.weights, model.discriminator.weights, strict=True):
        assert np.array_equal(slow, fast)


def test_a_class_that_no_cell_shows_is_never_answered(batch: Batch) -> None:
    cells, labels = batch
    model, _ = _stepped((cells, np.where(labels == 1, 2, labels)), classes=(0, 2))
    import tensorflow as tf

    said = np.asarray(tf.nn.softmax(model(cells)["logits"]))
    assert said[:, 1].max() == 0
    assert said[:, [0, 2]].min() > 0
    assert set(np.asarray(model._drawn()[1])) <= {0, 2}


def test_statistics_ruined_by_generated_cells_are_recalibrated_on_real_ones(
    made_up_cells: Any,
) -> None:
    from model.training.acgan import ACGAN, scaled
    from model.training.recalibration import recalibrate

    train = made_up_cells.take(made_up_cells.labels >= 0)
    small = SMALL | {"normalisation": "batch", "recalibrate": True, "size": 28}
    network = ACGAN(TrainingConfig(**small)).averaged
    bright = np.asarray(train.cells).repeat(4, axis=2).repeat(4, axis=3)[:, :, :28, :28]
    from dataclasses import replace

    train = replace(train, cells=bright)
    norm = next(layer for layer in network.layers if "normalization" in layer.name)
    norm.moving_mean.assign(norm.moving_mean + 7)
    recalibrate(network, train, 64)
    seen = np.asarray(_before(network, norm)(scaled(bright[:, 0])))
    assert np.allclose(norm.moving_mean, seen.mean(axis=(0, 1, 2)), atol=0.02)
    assert np.allclose(norm.moving_variance, seen.var(axis=(0, 1, 2)), rtol=0.1)
    assert norm.momentum == 0.8
    assert not network.trainable


def _before(network: Any, layer: Any) -> Any:
    import keras

    return keras.Model(network.input, layer.input)


def test_a_configuration_that_cannot_be_built_says_why() -> None:
    with pytest.raises(ValueError, match="multiples of 8 for group"):
        TrainingConfig(widths=(8, 12, 16, 16))
    with pytest.raises(ValueError, match="recalibrate needs normalisation=batch"):
        TrainingConfig(recalibrate=True)


def test_the_papers_preset_is_the_papers() -> None:
    config = TrainingConfig(**preset("paper", "semi"))
    assert (config.size, config.cut, config.batch, config.epochs) == (28, "whole", 64, 50)
    assert config.rate == config.generator_rate == 1e-3
    assert config.schedule == "constant"
    assert config.fake_class_weight == 0
    assert TrainingConfig(**preset("paper", "supervised")).fake_class_weight == 1
    assert TrainingConfig(**preset("reference")) == TrainingConfig()


def test_a_standardised_network_does_not_see_how_strong_a_stain_is(batch: Batch) -> None:
    import tensorflow as tf

    from model.training.acgan import ACGAN, scaled

    cells = np.clip(batch[0], 60, 200).astype(np.float32)
    stronger = 255 * (cells / 255) ** 1.2 * 0.9  # density times 1.2, and a darker lamp
    changes = []
    for standardise in (True, False):
        network = ACGAN(TrainingConfig(**SMALL | {"standardise": standardise})).discriminator
        before, after = network(scaled(cells))["features"], network(scaled(stronger))["features"]
        changes.append(float(tf.reduce_max(tf.abs(before - after)) / tf.reduce_max(before)))
    assert changes[0] < changes[1] / 3


def test_equal_cells_of_one_class_cost_the_generator_more_than_varied_ones() -> None:
    import tensorflow as tf

    from model.training.acgan import _sameness

    noise = tf.random.stateless_normal((6, 8), (1, 2))
    made = tf.random.stateless_uniform((6, 16, 16, 3), (3, 4), -1, 1)
    alike = tf.concat([made[:3], made[:3]], 0)
    assert float(_sameness(noise, alike)) > 5 * float(_sameness(noise, made))
    assert float(_sameness(noise[:1], made[:1])) == 0
