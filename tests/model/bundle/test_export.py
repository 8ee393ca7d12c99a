"""What an export writes beside the classifier, and what its card says of it."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from typer.testing import CliRunner

from model import run
from model.bundle import ood
from model.bundle.export import AGREEMENT, export, finished
from model.bundle.generator import Generator
from model.bundle.graph import OPSET, Graph, Head, keras_answers, write_graph
from model.bundle.quantise import quantise
from model.bundle.signing import new_keys
from model.bundle.verify import findings, trusted
from model.cli import app
from model.config import TrainingConfig
from model.errors import ModelError
from model.evaluation.predictions import read_predictions
from model.runtime import start_tensorflow
from wire.manifest import CARD_NAME, GENERATOR_NAME, GRAPH_NAME, INT8_NAME, Manifest, read_manifest

RUN = CliRunner()


@pytest.fixture(scope="module")
def manifest(tiny_bundle: Path) -> Manifest:
    return read_manifest(tiny_bundle)[0]


def test_an_export_signed_with_a_key_is_sound_by_that_key(tiny_run: Path, tmp_path: Path) -> None:
    keys = new_keys(tmp_path / "keys")
    out = tmp_path / "bundle"
    export(finished(tiny_run), [], out, "0.0.2", sign_with=keys.private)
    found = findings(out, trusted([keys.public]))
    assert found.sound
    assert found.signed_by == keys.fingerprint
    assert "elliptic-curve signature" in (out / CARD_NAME).read_text()


def test_a_bundle_is_written_only_when_it_agrees_to_five_places() -> None:
    assert AGREEMENT == 1e-5
    assert run.PROBE_CELLS == 1000


def test_the_graphs_are_of_opset_18(tiny_bundle: Path, manifest: Manifest) -> None:
    assert manifest.generator == GENERATOR_NAME
    for name in (GRAPH_NAME, GENERATOR_NAME):
        (opset,) = {
            one.version for one in onnx.load(tiny_bundle / name).opset_import if not one.domain
        }
        assert opset == OPSET == 18


def test_the_ood_output_is_the_distance_of_the_run_s_ruler(
    tiny_run: Path, tiny_bundle: Path, manifest: Manifest
) -> None:
    measured = ood.load(tiny_run / run.OOD)
    assert measured is not None
    assert manifest.ood_above == pytest.approx(measured.threshold())
    assert manifest.ood_score == "mahalanobis"
    said = Graph(tiny_bundle / GRAPH_NAME).run(run.load_probe(tiny_run))
    assert said.ood is not None
    assert said.ood.shape == (len(run.load_probe(tiny_run)),)
    assert (said.ood > 0).all()


def test_conformal_sets_are_calibrated_on_the_validation_part(
    tiny_run: Path, manifest: Manifest
) -> None:
    assert manifest.conformal_level == 0.95
    assert manifest.conformal_threshold is not None
    validation = read_predictions(tiny_run / run.VALIDATION)
    right = validation.probabilities[np.arange(len(validation)), validation.labels]
    assert (right >= manifest.conformal_threshold).mean() >= 0.95


def test_the_manifest_names_licences_and_the_weights(manifest: Manifest) -> None:
    assert manifest.licences == {"simulator": "Apache-2.0"}
    assert len(manifest.weights_digest) == 64
    assert manifest.schema == 2


def test_the_generator_draws_other_cells_for_other_classes(
    tiny_bundle: Path, manifest: Manifest
) -> None:
    generator = Generator(tiny_bundle / GENERATOR_NAME)
    noise = np.random.default_rng(3).standard_normal((4, generator.noise)).astype(np.float32)
    one, other = (generator.run(noise, np.full(4, label, np.int32)) for label in (0, 2))
    assert one.shape == (4, manifest.height, manifest.width, 3)
    assert one.dtype == np.uint8
    assert (one != other).any()
    assert np.array_equal(one, generator.run(noise, np.zeros(4, np.int32)))


def test_a_classifier_is_no_generator(tiny_bundle: Path) -> None:
    with pytest.raises(ModelError, match="a generator takes"):
        Generator(tiny_bundle / GRAPH_NAME)


def test_the_generator_s_cells_are_shown_class_by_class(tiny_bundle: Path, tmp_path: Path) -> None:
    pictures = []
    for name, seed in (("one", "1"), ("same", "1"), ("other", "2")):
        out = tmp_path / f"{name}.png"
        given = ["sample", str(tiny_bundle), "--out", str(out), "--each", "3", "--seed", seed]
        done = RUN.invoke(app, given)
        assert done.exit_code == 0, done.output
        pictures.append(out.read_bytes())
    assert pictures[0].startswith(b"\x89PNG")
    assert pictures[0] == pictures[1] != pictures[2]


def test_an_int8_graph_that_answers_otherwise_is_not_kept(
    tiny_run: Path, tiny_bundle: Path, tmp_path: Path, manifest: Manifest
) -> None:
    (tmp_path / GRAPH_NAME).write_bytes((tiny_bundle / GRAPH_NAME).read_bytes())
    draw = np.random.default_rng(0)
    cells = draw.integers(0, 256, (40, 32, 32, 3), np.uint8)
    found = quantise(tmp_path, manifest, cells)
    assert found.cells == 20
    assert found.float_ms > 0
    assert found.int8_ms > 0
    assert 0 <= found.agreement <= 1
    better = found.agreement >= 0.999 and found.int8_ms < found.float_ms
    assert found.written == better == (tmp_path / INT8_NAME).exists()


def test_the_card_s_header_is_yaml_that_hugging_face_reads(
    tiny_bundle: Path, manifest: Manifest
) -> None:
    _, header, rest = (tiny_bundle / CARD_NAME).read_text().split("---\n", 2)
    told = yaml.safe_load(header)
    assert told["license"] == "apache-2.0"
    assert told["datasets"] == ["simulator"]
    assert "research-use-only" in told["tags"]
    (index,) = told["model-index"]
    assert index["name"] == manifest.name
    values = [result["metrics"][0]["value"] for result in index["results"]]
    assert values == [metric.value for metric in manifest.metrics]
    assert rest.startswith(f"\n# {manifest.name} {manifest.version}")


def test_the_card_says_what_was_learned_from_drawn_cells_alone(tiny_bundle: Path) -> None:
    card = (tiny_bundle / CARD_NAME).read_text()
    assert "Research use only" in card
    for label in ("ALL", "AML", "Normal"):
        assert f"**{label} was learned from the simulator only**" in card
    assert "Conformal sets" in card
    assert "Strangers" in card
    assert "No `model.sig` when this card was written" in card


def test_a_network_of_standardised_density_is_exported_as_it_is(tmp_path) -> None:
    config = TrainingConfig(size=32, widths=(8, 16), standardise=True)
    start_tensorflow(config.seed, 1)
    from model.training.acgan import ACGAN

    model, head = ACGAN(config), Head(1.3)
    write_graph(model, head, tmp_path / "classifier.onnx")
    noise = np.random.default_rng(1).integers(0, 256, (20, 32, 32, 3), np.uint8)
    empty = [np.full((1, 32, 32, 3), grey, np.uint8) for grey in (0, 90, 255)]
    cells = np.concatenate([noise, *empty])
    written = Graph(tmp_path / "classifier.onnx").run(cells)
    assert keras_answers(model, head, cells).furthest(written) < 1e-5
