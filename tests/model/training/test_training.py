"""A tiny AC-GAN trains, exports and verifies; what was altered is refused."""

import csv
import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from model import run
from model.bundle import ood
from model.bundle.export import export, finished
from model.bundle.graph import Graph, Head, keras_answers
from model.bundle.verify import verify
from model.config import TrainingConfig
from model.errors import ModelError
from model.runtime import start_tensorflow
from model.training.study import Report, study
from wire.manifest import GRAPH_NAME, BundleError, read_manifest


@pytest.fixture
def copy(tiny_bundle: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_bundle, tmp_path / "copy")


def test_a_run_leaves_what_is_needed_to_do_it_again(
    tiny_run: Path, tiny_config: TrainingConfig
) -> None:
    assert finished(tiny_run).config == tiny_config
    facts = json.loads((tiny_run / "facts.json").read_text())
    assert len(facts["data_digest"]) == 64
    assert facts["versions"]["tensorflow"]
    assert sum(facts["trained_on"].values()) > 0
    history = [json.loads(line) for line in (tiny_run / "history.jsonl").read_text().splitlines()]
    assert {"class", "source", "fooling", "validation_loss"} <= history[0].keys()


def test_the_split_of_a_run_shares_no_slide(tiny_run: Path) -> None:
    with (tiny_run / "split.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    parts = {row["part"] for row in rows}
    assert parts == {"train", "validation", "test"}
    for one, other in combinations(parts, 2):
        groups = [{row["group"] for row in rows if row["part"] == part} for part in (one, other)]
        assert not groups[0] & groups[1]


def test_the_exported_graph_says_what_keras_says(tiny_run: Path, tiny_bundle: Path) -> None:
    done = finished(tiny_run)
    start_tensorflow(done.config.seed, 1)
    from model.training.acgan import ACGAN

    model = ACGAN(done.config)
    model.averaged.set_weights(run.load_weights(tiny_run))
    probe = run.load_probe(tiny_run)
    graph = Graph(tiny_bundle / GRAPH_NAME).run(probe)
    measured = ood.load(tiny_run / run.OOD)
    assert measured is not None
    head = Head(done.facts["temperature"], measured.ruler)
    keras = keras_answers(model, head, probe)
    assert len(probe) >= 3
    assert graph.furthest(keras) < 1e-5
    assert np.ptp(graph.probabilities, axis=0).min() > 0  # it does not say the same of all


def test_the_activation_maps_add_up_to_the_probabilities(tiny_run: Path, tiny_bundle: Path) -> None:
    said = Graph(tiny_bundle / GRAPH_NAME).run(run.load_probe(tiny_run))
    powers = np.exp(said.activation.mean(axis=(1, 2)) / read_manifest(tiny_bundle)[0].temperature)
    assert np.allclose(said.probabilities, powers / powers.sum(axis=1, keepdims=True), atol=1e-5)


def test_a_bundle_verifies_and_holds_its_figures(tiny_bundle: Path) -> None:
    manifest, digest = verify(tiny_bundle)
    assert len(digest) == 64
    assert manifest.trained_on.keys() == {"simulator ALL", "simulator AML", "simulator Normal"}
    for metric in manifest.metrics:
        assert 0 <= metric.low <= metric.value <= metric.high <= 1
        assert metric.n > 0
    names = [metric.name for metric in manifest.metrics]
    assert "balanced accuracy, simulator" in names
    assert "agreement with the truth in simulated fields, all slides" in names


def test_a_graph_with_one_bit_changed_is_refused(copy: Path) -> None:
    graph = copy / GRAPH_NAME
    raw = bytearray(graph.read_bytes())
    raw[len(raw) // 2] ^= 1
    graph.write_bytes(raw)
    with pytest.raises(BundleError, match=r"classifier\.onnx is not the file"):
        verify(copy)


def test_a_card_that_was_rewritten_is_refused(copy: Path) -> None:
    card = copy / "MODEL_CARD.md"
    card.write_text(card.read_text().replace("Research use only", "Fit for use"))
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md is not the file"):
        verify(copy)


def test_a_graph_of_another_size_than_promised_is_refused(copy: Path) -> None:
    path = copy / "manifest.json"
    path.write_text(path.read_text().replace('"height": 32', '"height": 48'))
    with pytest.raises(ModelError, match="takes cells of"):
        verify(copy)


def test_a_graph_that_differs_from_keras_is_not_written(
    tiny_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.bundle.graph.Answers.furthest", lambda *_: 2e-4)
    with pytest.raises(ModelError, match="differs from Keras"):
        export(finished(tiny_run), [], tmp_path / "bundle", "0.0.1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_bundle_is_not_overwritten(tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match="something else than a bundle"):
        export(finished(tiny_run), [], tmp_path, "0.0.1")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_two_trainings_with_one_seed_are_equal(
    tiny_run: Path, tiny_config: TrainingConfig, tmp_path: Path, unheard: Report
) -> None:
    study(tiny_config, tmp_path / "again", "again", unheard)
    for one, other in zip(
        run.load_weights(tiny_run), run.load_weights(tmp_path / "again"), strict=True
    ):
        assert np.array_equal(one, other)
    for name in ("history.jsonl", "split.csv", "predictions.csv"):
        assert (tiny_run / name).read_text() == (tmp_path / "again" / name).read_text()


def test_a_plain_training_has_no_generator_step(
    tiny_config: TrainingConfig, tmp_path: Path, unheard: Report, tiny_run: Path
) -> None:
    plain = tiny_config.model_copy(update={"mode": "plain", "seed": 2})
    study(plain, tmp_path / "plain", "plain", unheard)
    line = json.loads((tmp_path / "plain" / "history.jsonl").read_text())
    assert "fooling" not in line
    assert not np.array_equal(
        run.load_weights(tmp_path / "plain")[0], run.load_weights(tiny_run)[0]
    )
    bundle = tmp_path / "bundle"
    export(finished(tiny_run), [finished(tmp_path / "plain")], bundle, "0.0.1")
    assert "same network trained plainly" in (bundle / "MODEL_CARD.md").read_text()


def test_a_run_folder_in_use_is_left_alone(
    tiny_run: Path, tiny_config: TrainingConfig, unheard: Report
) -> None:
    before = sorted(tiny_run.iterdir())
    with pytest.raises(ModelError, match="is not empty"):
        study(tiny_config, tiny_run, "again", unheard)
    assert sorted(tiny_run.iterdir()) == before
