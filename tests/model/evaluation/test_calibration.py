"""Probabilities made honest, and sets that keep their promise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.evaluation import calibration
from model.evaluation.measures import Classes, Numbers, calibration_error


def made(count: int, seed: int) -> tuple[Numbers, Classes]:
    """Logits and labels that are drawn from them: perfectly calibrated."""
    draw = np.random.default_rng(seed)
    logits = draw.normal(scale=2, size=(count, 3))
    chances = calibration.softmax(logits, 1.0)
    return logits, (draw.random((count, 1)) > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)


def error(probabilities: Numbers, labels: Classes) -> float:
    right = probabilities.argmax(axis=1) == labels
    return calibration_error(right, probabilities.max(axis=1))


def test_vector_scaling_finds_the_factor_and_the_biases_that_were_put_in() -> None:
    logits, labels = made(20_000, seed=0)
    spoiled = 3 * logits + np.array([2.0, 0.0, -2.0])
    factor, biases = calibration.vector_scaling(spoiled, labels, np.ones(len(labels)))
    assert factor == pytest.approx(1 / 3, rel=0.05)
    assert biases == pytest.approx([-2 / 3, 0, 2 / 3], abs=0.05)


def test_a_bias_mends_what_no_temperature_can() -> None:
    logits, labels = made(8000, seed=1)
    spoiled = logits + np.array([1.5, 0.0, -1.5])
    fit, unseen = slice(None, 4000), slice(4000, None)
    weights = np.ones(4000)
    temperature = calibration.temperature(spoiled[fit], labels[fit], weights)
    factor, biases = calibration.vector_scaling(spoiled[fit], labels[fit], weights)
    by_temperature = calibration.softmax(spoiled[unseen], temperature)
    by_vector = calibration.softmax(spoiled[unseen] * factor + biases, 1.0)
    assert error(by_temperature, labels[unseen]) > 0.03
    assert error(by_vector, labels[unseen]) < 0.03
    ones = np.ones(4000)
    lost = [calibration.log_loss(p, labels[unseen], ones) for p in (by_vector, by_temperature)]
    assert lost[0] < lost[1] - 0.05


def test_vector_scaling_leaves_good_probabilities_alone() -> None:
    logits, labels = made(20_000, seed=2)
    factor, biases = calibration.vector_scaling(logits, labels, np.ones(len(labels)))
    assert factor == pytest.approx(1, rel=0.05)
    assert np.abs(biases).max() < 0.06


def test_a_class_that_validation_lacks_gets_a_finite_bias() -> None:
    logits, labels = made(3000, seed=3)
    there = labels < 2
    _, biases = calibration.vector_scaling(logits[there], labels[there], np.ones(there.sum()))
    assert np.isfinite(biases).all()
    assert biases.argmin() == 2


def test_cells_weigh_as_told() -> None:
    logits, labels = made(4000, seed=4)
    twice = np.concatenate([logits, logits[labels == 0]])
    again = np.concatenate([labels, labels[labels == 0]])
    by_weight = calibration.vector_scaling(logits, labels, np.where(labels == 0, 2.0, 1.0))
    by_copies = calibration.vector_scaling(twice, again, np.ones(len(again)))
    assert by_weight[0] == pytest.approx(by_copies[0], rel=1e-3)
    assert by_weight[1] == pytest.approx(by_copies[1], abs=1e-3)


def test_the_threshold_is_the_textbooks_order_statistic() -> None:
    # Ten cells, level 0.9: floor(0.1 × 11) = 1, so the least right probability.
    right = np.linspace(0.4, 0.85, 10)
    probabilities = np.stack([right, 1 - right], axis=1)
    labels = np.zeros(10, np.int64)
    assert calibration.conformal_threshold(probabilities, labels, 0.9) == pytest.approx(0.4)
    assert calibration.conformal_threshold(probabilities, labels, 0.8) == pytest.approx(0.45)
    few = calibration.conformal_threshold(probabilities, labels, 0.95)
    assert few == 0, "ten cells cannot promise 95 %"


@settings(max_examples=30, deadline=None)
@given(level=st.sampled_from([0.8, 0.9, 0.95, 0.99]), seed=st.integers(0, 10_000))
def test_sets_cover_what_they_promise_on_unseen_cells(level: float, seed: int) -> None:
    logits, labels = made(6000, seed)
    probabilities = calibration.softmax(logits * 3, 1.0)  # spoiled: the promise needs no honesty
    threshold = calibration.conformal_threshold(probabilities[:3000], labels[:3000], level)
    sets = calibration.conformal_sets(probabilities[3000:], threshold)
    covered = sets[np.arange(3000), labels[3000:]].mean()
    assert covered > level - 0.035
    assert sets.any(axis=1).all(), "no set is empty"


def test_a_higher_level_never_takes_a_class_out_of_a_set() -> None:
    logits, labels = made(2000, seed=5)
    probabilities = calibration.softmax(logits, 1.0)
    before = np.zeros(probabilities.shape, bool)
    for level in (0.5, 0.8, 0.9, 0.95, 0.99):
        threshold = calibration.conformal_threshold(probabilities, labels, level)
        sets = calibration.conformal_sets(probabilities, threshold)
        assert (sets >= before).all()
        before = sets


@pytest.mark.parametrize(("cells", "level"), [(0, 0.9), (10, 0.0), (10, 1.0)])
def test_no_cells_or_no_level_is_refused(cells: int, level: float) -> None:
    with pytest.raises(ValueError, match="no threshold"):
        calibration.conformal_threshold(np.full((cells, 2), 0.5), np.zeros(cells, int), level)
