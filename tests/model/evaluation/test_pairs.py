"""Two models on the same cells."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import realistic_run, simple_run
from scipy.stats import binom

from model.errors import ModelError
from model.evaluation.entries import entries, pairs
from model.evaluation.pairs import mcnemar, paired
from model.evaluation.runs import read_run


def test_mcnemar_is_the_sign_test_of_the_textbook() -> None:
    # 1 against 7: two-sided p = 2 × (1 + 8) / 2^8.
    first = np.array([True] * 1 + [False] * 7 + [True] * 50 + [False] * 3)
    second = np.array([False] * 1 + [True] * 7 + [True] * 50 + [False] * 3)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (1, 7)
    assert found.p == pytest.approx(2 * binom.cdf(1, 8, 0.5))


def test_models_that_agree_on_every_cell_do_not_differ() -> None:
    right = np.array([True, False, True])
    assert mcnemar(right, right).p == 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_mcnemar_does_not_care_which_comes_first(cells: list[tuple[bool, bool]]) -> None:
    first, second = (np.array(column) for column in zip(*cells, strict=True))
    one, other = mcnemar(first, second), mcnemar(second, first)
    assert one.p == pytest.approx(other.p)
    assert 0 <= one.p <= 1
    assert (one.only_first, one.only_second) == (other.only_second, other.only_first)


def test_the_difference_is_that_of_the_accuracies_whatever_the_order_of_cells(
    tmp_path: Path,
) -> None:
    good = read_run(realistic_run(tmp_path / "good", skill=5)).predictions
    poor = read_run(realistic_run(tmp_path / "poor", skill=1)).predictions
    shuffled = poor.take(np.random.default_rng(0).permutation(len(poor)))
    found = paired(("good", "poor"), [("seed 1", good, shuffled)])
    assert found is not None
    test = good.parts == "test"
    expected = good.right[test].mean() - poor.right[test].mean()
    assert found.difference.value == pytest.approx(expected)
    assert 0 < found.difference.low < expected < found.difference.high < 1
    assert found.cells == test.sum()


def test_models_that_judged_other_cells_are_not_compared(tmp_path: Path) -> None:
    one = read_run(simple_run(tmp_path / "one", "AANN", "AANN")).predictions
    other = read_run(simple_run(tmp_path / "other", "AAN", "AAN")).predictions
    assert paired(("one", "other"), [("seed 1", one, other)]) is None


def test_seeds_and_folds_of_one_model_become_one_entry(tmp_path: Path) -> None:
    runs = [
        read_run(simple_run(tmp_path / name, "AN", "AN", title=title, seed=seed, split=split))
        for name, title, seed, split in (
            ("a", "AC-GAN", 1, "group"),
            ("b", "AC-GAN", 2, "group"),
            ("c", "AC-GAN", 1, "kfold:1/2"),
            ("d", "AC-GAN", 1, "kfold:2/2"),
            ("e", "AC-GAN", 1, "random"),
            ("f", "SVM", 1, "group"),
        )
    ]
    found = [(entry.title, entry.split, entry.trials) for entry in entries(runs)]
    assert found == [
        ("AC-GAN", "group", "2 runs: seed 1, seed 2"),
        ("AC-GAN", "kfold", "2 runs: fold 1/2, seed 1, fold 2/2, seed 1"),
        ("AC-GAN", "random", "seed 1"),
        ("SVM", "group", "seed 1"),
    ]
    compared = [(pair.first, pair.second, pair.seeds) for pair in pairs(entries(runs))]
    assert compared == [("AC-GAN, group", "SVM, group", ["seed 1"])]


def test_runs_that_nothing_tells_apart_stay_apart(tmp_path: Path) -> None:
    runs = [read_run(simple_run(tmp_path / name, "AN", "AN")) for name in ("old", "new")]
    assert [entry.title for entry in entries(runs)] == ["made (old)", "made (new)"]


def test_a_network_from_scratch_is_not_put_with_one_of_imagenet(tmp_path: Path) -> None:
    runs = [
        read_run(simple_run(tmp_path / str(seed), "AN", "AN", seed=seed, weights=weights))
        for seed, weights in (
            (1, "from scratch"),
            (2, "from scratch"),
            (3, "v.h5, sha256 0"),
        )
    ]
    found = [(entry.weights, len(entry.runs)) for entry in entries(runs)]
    assert found == [("from scratch", 2), ("v.h5, sha256 0", 1)]


def test_nothing_to_compare_is_said() -> None:
    with pytest.raises(ModelError, match="no runs"):
        entries([])
