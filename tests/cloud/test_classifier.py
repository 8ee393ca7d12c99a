import json
import shutil

import msgspec
import numpy as np
import pytest

from cloud.classifier import SHIPPED_BUNDLE, Classifier
from wire.manifest import GRAPH_NAME, BundleError, Manifest, read_manifest, write_manifest


@pytest.fixture
def bundle(tmp_path):
    """A copy of the shipped bundle that a test may change."""
    return shutil.copytree(SHIPPED_BUNDLE, tmp_path / "bundle")


def rewritten(folder, **changes):
    """Change what the manifest says; its checksums stay right."""
    manifest, _ = read_manifest(folder)
    write_manifest(folder, msgspec.structs.replace(manifest, **changes))
    return folder


def forged(folder, **changes):
    """Change the manifest past its own checks, as another program could."""
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def some_cells(classifier, count=12):
    height, width = classifier.input_size
    rng = np.random.default_rng(3)
    smooth = rng.integers(60, 240, (count, 4, 4, 3), dtype=np.uint8)
    return smooth.repeat(height // 4, axis=1).repeat(width // 4, axis=2)[:, :height, :width]


def test_a_batch_gives_what_its_cells_give_one_by_one(classifier):
    cells = some_cells(classifier)
    together = classifier.classify(cells)
    alone = [classifier.classify(cells[n : n + 1])[0] for n in range(len(cells))]
    assert len(together) == len(cells)
    for batch, single in zip(together, alone, strict=True):
        assert batch.probabilities == pytest.approx(single.probabilities, abs=2e-4)
        assert batch.real == pytest.approx(single.real, abs=2e-4)


def test_no_cells_give_no_suggestions(classifier):
    height, width = classifier.input_size
    assert classifier.classify(np.empty((0, height, width, 3), np.uint8)) == []


def test_probabilities_name_every_label_and_add_up_to_one(classifier):
    for suggestion in classifier.classify(some_cells(classifier)):
        assert list(suggestion.probabilities) == classifier.manifest.labels
        assert sum(suggestion.probabilities.values()) == pytest.approx(1, abs=5e-4)
        assert suggestion.probability == max(suggestion.probabilities.values())
        assert 0 <= suggestion.real <= 1


def test_a_cell_below_the_bundle_s_probability_is_unidentified_and_keeps_its_figures(bundle):
    sure = Classifier(rewritten(bundle, abstain_below=0.0, real_below=0.0))
    cells = some_cells(sure)
    named = sure.classify(cells)
    assert all(s.label in sure.manifest.labels for s in named)
    unsure = Classifier(rewritten(bundle, abstain_below=1.0, real_below=0.0)).classify(cells)
    for before, after in zip(named, unsure, strict=True):
        assert after.label == ("unidentified" if after.probability < 1 else before.label)
        assert after.probabilities == before.probabilities
    assert "unidentified" in {s.label for s in unsure}


def test_a_cell_unlike_the_training_images_is_unidentified(bundle):
    open_to_all = Classifier(rewritten(bundle, abstain_below=0.0, real_below=0.0))
    cells = some_cells(open_to_all)
    scores = [s.real for s in open_to_all.classify(cells)]
    strict = Classifier(rewritten(bundle, abstain_below=0.0, real_below=1.0))
    for score, suggestion in zip(scores, strict.classify(cells), strict=True):
        assert suggestion.label == "unidentified" or score == 1


def test_the_model_is_named_by_the_digest_of_its_manifest(classifier):
    _, digest = read_manifest(SHIPPED_BUNDLE)
    assert classifier.model.sha256 == digest
    assert classifier.model.name == classifier.manifest.name


def test_a_tampered_graph_is_refused(bundle):
    graph = bundle / GRAPH_NAME
    data = bytearray(graph.read_bytes())
    data[len(data) // 2] ^= 1
    graph.write_bytes(data)
    with pytest.raises(BundleError, match=r"classifier\.onnx is not the file the manifest names"):
        Classifier(bundle)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="is not a model bundle"):
        Classifier(tmp_path)


def test_an_unknown_preprocessing_is_refused_with_what_to_do(bundle):
    rewritten(bundle, preprocessing="centre-crop/9")
    with pytest.raises(BundleError, match=r"'centre-crop/9'; this program does .*export"):
        Classifier(bundle)


def test_a_bundle_for_whole_fields_is_refused(bundle):
    rewritten(bundle, input_kind="field")
    with pytest.raises(BundleError, match="wants 'field' input; this worker sends cells"):
        Classifier(bundle)


def test_a_graph_that_is_no_onnx_is_refused(bundle):
    (bundle / GRAPH_NAME).write_bytes(b"not a graph")
    rewritten_files(bundle)
    with pytest.raises(BundleError, match=r"onnxruntime cannot load classifier\.onnx"):
        Classifier(bundle)


def test_a_graph_of_another_size_than_its_manifest_says_is_refused_before_any_frame(bundle):
    manifest, _ = read_manifest(bundle)
    rewritten(bundle, height=manifest.height + 3)
    with pytest.raises(BundleError, match=f"takes no cells of {manifest.height + 3}×"):
        Classifier(bundle)


def test_a_graph_of_other_labels_than_its_manifest_says_is_refused_before_any_frame(bundle):
    rewritten(bundle, labels=["ALL", "Normal"])
    with pytest.raises(BundleError, match="the manifest names 2 labels"):
        Classifier(bundle)


def test_an_unknown_manifest_schema_is_refused(bundle):
    with pytest.raises(BundleError, match="has schema 99"):
        Classifier(forged(bundle, schema=99))


def rewritten_files(folder):
    """Write the manifest anew over whatever lies in the folder now."""
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    write_manifest(folder, manifest)
