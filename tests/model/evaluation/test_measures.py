"""Figures against values worked out by hand or by scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from model.evaluation import calibration
from model.evaluation.measures import auroc, balanced_accuracy, by_groups, calibration_error, wilson


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    # Newcombe 1998, Statistics in Medicine 17, table I: 81 of 263 and 15 of 148, score method.
    value, low, high = wilson(81, 263)
    assert (round(value, 4), round(low, 4), round(high, 4)) == (0.308, 0.2553, 0.3662)
    assert [round(v, 4) for v in wilson(15, 148)[1:]] == [0.0624, 0.1605]


def test_all_right_still_leaves_doubt() -> None:
    value, low, high = wilson(10, 10)
    assert (value, high) == (1.0, 1.0)
    assert 0.69 < low < 0.73


def test_a_share_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no value"):
        wilson(0, 0)


def test_auroc_and_balanced_accuracy_agree_with_scikit_learn() -> None:
    draw = np.random.default_rng(0)
    wanted = draw.integers(0, 3, 200)
    given = draw.integers(0, 3, 200)
    score = np.round(draw.random(200), 1)  # rounded, so that there are ties
    assert balanced_accuracy(wanted, given) == pytest.approx(balanced_accuracy_score(wanted, given))
    assert auroc(wanted == 1, score) == pytest.approx(roc_auc_score(wanted == 1, score))


def test_one_class_alone_has_no_auroc() -> None:
    assert math.isnan(auroc(np.ones(3, bool), np.arange(3.0)))


def test_drawing_patients_promises_less_than_drawing_cells() -> None:
    right = np.repeat(np.arange(10) % 2 == 0, 50)

    def share(chosen: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
        return float(right[chosen].mean())

    by_patient = by_groups(share, np.repeat(np.arange(10).astype(str), 50))
    by_cell = by_groups(share, np.arange(500).astype(str))
    assert by_patient.value == by_cell.value == 0.5
    assert by_patient.high - by_patient.low > 3 * (by_cell.high - by_cell.low)


def test_calibration_error_is_the_gap_between_belief_and_truth() -> None:
    right = np.array([True] * 6 + [False] * 4)
    assert calibration_error(right, np.full(10, 0.9)) == pytest.approx(0.3)
    assert calibration_error(right, np.full(10, 0.6)) == pytest.approx(0)


def test_the_temperature_undoes_overconfidence() -> None:
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(20_000, 3))
    labels = np.array([draw.choice(3, p=p) for p in calibration.softmax(logits, 1.0)])
    found = calibration.temperature(logits * 4, labels, np.ones(len(labels)))
    assert found == pytest.approx(4, rel=0.05)


def test_the_threshold_answers_as_much_as_the_aim_allows() -> None:
    confidence = np.linspace(0.99, 0.5, 100)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.zeros(100, np.int64)
    labels[90:] = 1  # the ten least certain are wrong
    below = calibration.abstain_below(probabilities, labels, aim=0.97)
    answered = confidence >= below
    assert answered.sum() == 92  # 90 of 92 right is 0.978, 90 of 93 would be 0.968
    assert calibration.abstain_below(probabilities, labels, aim=0.5) <= confidence.min()


def test_the_threshold_never_leaves_more_than_a_fifth_unanswered() -> None:
    confidence = np.linspace(0.99, 0.5, 100)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    below = calibration.abstain_below(probabilities, np.ones(100, np.int64), aim=0.97)
    assert (confidence >= below).sum() == 80
