"""Figures of predictions against scikit-learn, by hand, and in general."""

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import realistic_run, simple_run
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    balanced_accuracy_score,
    confusion_matrix,
    precision_recall_fscore_support,
    roc_auc_score,
)

from model.errors import ModelError
from model.evaluation.bootstrap import Draws
from model.evaluation.curves import abstention, at_coverage, reliability
from model.evaluation.measures import auroc, calibration_error, wilson
from model.evaluation.predictions import Predictions, read_predictions
from model.evaluation.runs import Run, read_run
from model.evaluation.scopes import scopes
from model.evaluation.scores import Sample, Scores, score


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return read_run(realistic_run(tmp_path_factory.mktemp("runs") / "run"))


@pytest.fixture(scope="module")
def held_out(run: Run) -> Predictions:
    return run.predictions.take(run.predictions.parts == "test")


@pytest.fixture(scope="module")
def scored(held_out: Predictions) -> Scores:
    return score("held out", Sample.of([held_out], [0.6]), held_out.known)


def test_every_figure_is_scikit_learns(scored: Scores, held_out: Predictions) -> None:
    wanted, suggested = held_out.labels, held_out.given
    assert scored.confusion == confusion_matrix(wanted, suggested).tolist()
    assert scored.balanced_accuracy.value == pytest.approx(
        balanced_accuracy_score(wanted, suggested)
    )
    expected = precision_recall_fscore_support(wanted, suggested)
    for number, found in enumerate(scored.classes):
        figures = [found.precision.value, found.recall.value, found.f1.value, found.cells]
        assert figures == pytest.approx([column[number] for column in expected])
        one_against_rest = roc_auc_score(wanted == number, held_out.probabilities[:, number])
        assert found.auroc.value == pytest.approx(one_against_rest)
    error = calibration_error(held_out.right, held_out.confidence)
    assert scored.calibration_error.value == pytest.approx(error)


def test_every_interval_holds_its_value_and_has_a_width(scored: Scores) -> None:
    figures = [scored.accuracy, scored.balanced_accuracy, scored.auroc_aml_normal]
    figures += [f for c in scored.classes for f in (c.precision, c.recall, c.f1, c.auroc)]
    for value, low, high in [*figures, scored.calibration_error]:
        assert 0 <= low <= value <= high <= 1
        assert low < high


def test_reliability_is_scikit_learns_curve_with_counts(held_out: Predictions) -> None:
    bins = reliability(held_out.right, held_out.confidence)
    truth, belief = calibration_curve(held_out.right, held_out.confidence, n_bins=15)
    assert [b.accuracy.value for b in bins] == pytest.approx(truth.tolist())
    assert [b.confidence for b in bins] == pytest.approx(belief.tolist())
    assert sum(b.cells for b in bins) == len(held_out)


def test_patients_widen_the_interval_and_the_method_is_named(held_out: Predictions) -> None:
    patients = held_out.take(held_out.sources == "deepapl")
    alone = Predictions(**{**vars(patients), "groups": patients.keys})
    grouped = score("", Sample.of([patients]), patients.known)
    apart = score("", Sample.of([alone]), alone.known)
    assert grouped.interval == "bootstrap by group (18 patients, slides or images)"
    assert apart.interval.startswith("Wilson")
    assert apart.accuracy == wilson(int(alone.right.sum()), len(alone))
    assert grouped.accuracy.value == apart.accuracy.value
    assert grouped.accuracy.high - grouped.accuracy.low > apart.accuracy.high - apart.accuracy.low


def test_five_patients_all_right_are_no_certainty() -> None:
    draws = Draws(np.repeat(list("abcde"), 40), np.zeros(200, int))
    everything = np.ones(200, bool)
    assert draws.share(everything, everything) == wilson(5, 5)


def test_what_a_class_lacks_is_no_number(tmp_path: Path) -> None:
    said = read_run(simple_run(tmp_path / "run", "AANN", "AAAA")).predictions
    found = score("", Sample.of([said], [0.95]), said.known)
    normal = found.classes[1]
    assert math.isnan(normal.precision.value), "nothing was called Normal"
    assert (normal.recall.value, normal.f1.value) == (0, 0)
    assert math.isnan(found.auroc_aml_normal.value), "no AML here"
    assert math.isnan(found.border_balanced_accuracy), "no border control here"
    assert found.answered is not None
    assert found.answered.coverage.value == 0
    assert math.isnan(found.answered.accuracy.value)


def test_scopes_never_mix_what_differs(run: Run) -> None:
    names = [scope.name for scope in scopes(run.predictions)]
    assert names == [
        "held out",
        "held out, real cells",
        "held out, simulator",
        "outside, lmu",
    ]


def test_several_seeds_give_the_mean_of_their_figures(tmp_path: Path) -> None:
    said = [
        read_run(realistic_run(tmp_path / f"{seed}", seed=seed)).predictions for seed in (1, 2, 3)
    ]
    each = [score("", Sample.of([one], [0.6]), one.known) for one in said]
    together = score("", Sample.of(said, [0.6, 0.5, 0.7]), said[0].known)
    assert together.runs == 3
    assert together.groups == each[0].groups
    for name in ("accuracy", "balanced_accuracy", "auroc_aml_normal", "calibration_error"):
        mean = np.mean([getattr(one, name).value for one in each])
        assert getattr(together, name).value == pytest.approx(mean), name


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.integers(0, 5)), min_size=1, max_size=60)
)
def test_curves_and_intervals_hold_for_anything(cells: list[tuple[bool, float, int]]) -> None:
    right = np.array([cell[0] for cell in cells])
    confidence = np.array([cell[1] for cell in cells])
    draws = Draws(np.array([str(cell[2]) for cell in cells]), np.zeros(len(cells), int))
    curve = abstention(right, confidence)
    coverages = [point.coverage for point in curve]
    assert coverages == sorted(set(coverages)), "each step down answers more"
    assert [p.threshold for p in curve] == sorted({*confidence.tolist()}, reverse=True)
    assert curve[-1].coverage == 1
    assert curve[-1].accuracy == pytest.approx(right.mean())
    assert at_coverage(curve, 0.5).coverage >= 0.5
    for point in curve:
        answered = confidence >= point.threshold
        assert point.coverage == pytest.approx(answered.mean())
        assert point.accuracy == pytest.approx(right[answered].mean())
    assert 0 <= calibration_error(right, confidence) <= 1
    assert sum(b.cells for b in reliability(right, confidence)) == len(cells)
    value, low, high = draws.share(right, np.ones(len(cells), bool))
    assert low <= value <= high
    area = draws.auroc(right, confidence)
    assert area.value == pytest.approx(auroc(right, confidence), nan_ok=True)
    assert math.isnan(area.value) or area.low <= area.value <= area.high


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"label": "CML"}, "line 2: 'CML' is not a class"),
        ({"label": ""}, "line 2: the label is empty"),
        ({"AML": "0.7"}, "line 2: probabilities .* are no distribution"),
        ({"AML": "nan"}, "line 2: probabilities .* are no distribution"),
        ({"AML": "much"}, "line 2: could not convert"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, changed: dict[str, str], complaint: str) -> None:
    file = simple_run(tmp_path / "run", "A", "A") / "predictions.csv"
    with file.open() as opened:
        row = next(csv.DictReader(opened)) | changed
    file.write_text(",".join(row) + "\n" + ",".join(row.values()) + "\n")
    with pytest.raises(ModelError, match=complaint):
        read_predictions(file)


def test_a_missing_column_an_empty_file_and_none_are_named(tmp_path: Path) -> None:
    file = tmp_path / "predictions.csv"
    with pytest.raises(ModelError, match="cannot be read"):
        read_predictions(file)
    file.write_text("key,label,ALL,AML,Normal\n")
    with pytest.raises(ModelError, match="no predictions"):
        read_predictions(file)
    file.write_text("key,label,ALL,AML,Normal\na,ALL,1,0,0\n")
    with pytest.raises(ModelError, match="line 2: no column 'source'"):
        read_predictions(file)
