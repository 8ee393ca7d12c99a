"""Each baseline learns what is there, repeats by its seed, and leaves a run like any other."""

import hashlib
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.baselines.baseline import ABSENT, BaselineConfig
from model.baselines.catalogue import CATALOGUE, listed
from model.baselines.study import BODY, study
from model.config import TrainingConfig
from model.data.cells import CellSet
from model.errors import ModelError
from model.evaluation.calibration import softmax
from model.evaluation.measures import Numbers, balanced_accuracy
from model.evaluation.runs import read_run
from model.labels import number
from model.runtime import start_tensorflow
from model.training.study import Report

AML, NORMAL = number("AML"), number("Normal")
SIZE = 28


def painted(count: int, seed: int) -> CellSet:
    """Cells whose class is a disc's colour; the background says nothing."""
    draw = np.random.default_rng(seed)
    labels = draw.permutation(np.arange(count) % 2) + AML
    pixels = draw.integers(180, 230, (count, 1, SIZE, SIZE, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    disc = (rows - SIZE / 2) ** 2 + (columns - SIZE / 2) ** 2 < 80
    for pixel, label in zip(pixels, labels, strict=True):
        pixel[0, disc] = (90, 40, 140) if label == AML else (200, 120, 60)
    names = np.array([f"c{seed}/{n}" for n in range(count)])
    same = np.array(["made"] * count)
    return CellSet(pixels, labels, same, names, same, names, names)


def config(name: str, **given: object) -> BaselineConfig:
    cells = TrainingConfig(size=SIZE, variants=1, threads=1, seed=3)
    wanted = {"name": name, "cells": cells, "epochs": 1, "batch": 8, **given}
    return BaselineConfig.model_validate(wanted)


def unheard(done: int, total: int, word: str) -> None:
    assert 0 < done <= total, word


def said(name: str, cells: CellSet, **given: object) -> Numbers:
    start_tensorflow(3, 1)
    wanted = config(name, **given)
    baseline = listed(name).make(wanted)
    baseline.fit(painted(96, 1), painted(32, 2), unheard)
    assert baseline.origin
    return baseline.logits(cells)


@pytest.mark.parametrize(("name", "epochs"), [("cnn-bare", 4), ("histogram", 1)])
def test_a_baseline_tells_colours_apart(name: str, epochs: int) -> None:
    cells = painted(40, 4)
    logits = said(name, cells, epochs=epochs)
    assert logits.shape == (40, 3)
    assert balanced_accuracy(cells.labels, logits.argmax(axis=1)) > 0.9


def test_the_border_control_sees_no_cell() -> None:
    cells = painted(200, 5)
    guesses = said("border", cells).argmax(axis=1)
    assert abs(balanced_accuracy(cells.labels, guesses) - 0.5) < 0.15


@pytest.mark.parametrize("name", ["cnn-bare", "histogram", "border"])
def test_a_class_that_nothing_showed_is_never_answered(name: str) -> None:
    logits = said(name, painted(8, 6))
    assert (softmax(logits, 1.0)[:, number("ALL")] == 0).all()
    assert (logits[:, number("ALL")] < ABSENT / 2).all()


def test_one_seed_gives_one_result() -> None:
    cells = painted(8, 7)
    assert np.array_equal(said("cnn", cells), said("cnn", cells))


@pytest.fixture
def shallow(monkeypatch: pytest.MonkeyPatch) -> None:
    """DenseNet with a layer a block in place of 121: the real one takes a minute to build."""
    start_tensorflow(3, 1)
    from keras.src.applications.densenet import DenseNet

    from model.baselines.applications import KINDS

    kind = replace(KINDS["densenet121"], build=partial(DenseNet, [1, 1, 1, 1]))
    monkeypatch.setitem(KINDS, "densenet121", kind)


@pytest.mark.usefixtures("shallow")
def test_a_network_trains_from_scratch_and_hands_its_features_to_an_svm(
    tmp_path: Path, unheard: Report
) -> None:
    cells = TrainingConfig(simulator=24, size=28, variants=1, threads=1)
    first = BaselineConfig(name="densenet121", cells=cells, epochs=1, batch=16)
    facts = study(first, tmp_path / "net", "baseline densenet121", unheard)
    assert facts["weights"] == "from scratch"
    body = tmp_path / "net" / BODY
    second = BaselineConfig(name="densenet121-svm", cells=cells, weights=str(body))
    facts = study(second, tmp_path / "svm", "baseline densenet121-svm", unheard)
    assert "features of body.npz, sha256 " in facts["weights"]
    one, other = read_run(tmp_path / "net"), read_run(tmp_path / "svm")
    assert (one.title, other.title) == ("DenseNet-121", "DenseNet-121 + SVM")
    assert np.array_equal(one.predictions.keys, other.predictions.keys)
    assert one.validation is not None
    assert json.loads((tmp_path / "net" / "facts.json").read_text())["seed"] == cells.seed


def small_network(inputs: int = 4) -> Any:
    import keras

    return keras.Sequential([keras.Input((inputs,)), keras.layers.Dense(2)], name="small")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras
def test_weights_of_a_file_are_taken_and_named_by_their_digest(tmp_path: Path) -> None:
    start_tensorflow(3, 1)
    from model.baselines.weights import with_weights

    trained, file = small_network(), tmp_path / "notop.weights.h5"
    trained.save_weights(file)
    loaded, origin = with_weights(lambda _: small_network(), str(file))
    for one, other in zip(loaded.get_weights(), trained.get_weights(), strict=True):
        assert np.array_equal(one, other)
    assert origin == f"notop.weights.h5, sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    with pytest.raises(ModelError, match="does not fit"):
        with_weights(lambda _: small_network(inputs=5), str(file))


def test_weights_that_are_not_there_are_named() -> None:
    start_tensorflow(3, 1)
    with pytest.raises(ModelError, match=r"nowhere\.h5 cannot be read"):
        listed("vgg16").make(config("vgg16", weights="nowhere.h5"))


def test_a_download_that_fails_says_what_to_do() -> None:
    start_tensorflow(3, 1)
    from model.baselines.weights import with_weights

    def build(weights: str | None) -> None:
        raise OSError(f"URL fetch failure for {weights}")

    with pytest.raises(ModelError, match=r"cannot be downloaded.*--weights FILE"):
        with_weights(build, "imagenet")


def test_weights_for_what_has_no_network_are_refused(tmp_path: Path, unheard: Report) -> None:
    with pytest.raises(ModelError, match="takes no --weights"):
        study(config("cnn", weights="imagenet"), tmp_path / "run", "baseline cnn", unheard)
    assert not (tmp_path / "run").exists()


def test_a_name_that_is_not_listed_is_answered_with_those_that_are() -> None:
    with pytest.raises(ModelError, match=r"no baseline 'alexnet'.*vgg16.*border"):
        listed("alexnet")
    assert len({entry.title for entry in CATALOGUE.values()}) == len(CATALOGUE)
