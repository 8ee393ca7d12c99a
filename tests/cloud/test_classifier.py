import json
import random
import shutil

import msgspec
import numpy as np
import onnx
import onnx.numpy_helper
import pytest

from cloud.classifier import SHIPPED_BUNDLE, Classifier, Trust
from model.bundle.signing import new_keys, sign
from wire.manifest import GRAPH_NAME, BundleError, Manifest, read_manifest, write_manifest
from wire.signature import SIGNATURE_NAME


def opened(folder):
    """One that does not ask who made its bundle: what is tested here is the rest."""
    return Classifier(folder, Trust(allow_unsigned=True))


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
    sure = opened(rewritten(bundle, abstain_below=0.0, real_below=0.0, ood_above=None))
    cells = some_cells(sure)
    named = sure.classify(cells)
    assert all(s.label in sure.manifest.labels for s in named)
    unsure = opened(rewritten(bundle, abstain_below=1.0, real_below=0.0)).classify(cells)
    for before, after in zip(named, unsure, strict=True):
        assert after.label == ("unidentified" if after.probability < 1 else before.label)
        assert after.probabilities == before.probabilities
    assert "unidentified" in {s.label for s in unsure}


def test_a_cell_unlike_the_training_images_is_unidentified(bundle):
    open_to_all = opened(rewritten(bundle, abstain_below=0.0, real_below=0.0))
    cells = some_cells(open_to_all)
    scores = [s.real for s in open_to_all.classify(cells)]
    strict = opened(rewritten(bundle, abstain_below=0.0, real_below=1.0))
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
        opened(bundle)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError, match="is not a model bundle"):
        opened(tmp_path)


def test_an_unknown_preprocessing_is_refused_with_what_to_do(bundle):
    rewritten(bundle, preprocessing="centre-crop/9")
    with pytest.raises(BundleError, match=r"'centre-crop/9'; this program does .*export"):
        opened(bundle)


def test_a_bundle_for_whole_fields_is_refused(bundle):
    rewritten(bundle, input_kind="field")
    with pytest.raises(BundleError, match="wants 'field' input; this worker sends cells"):
        opened(bundle)


def test_a_graph_that_is_no_onnx_is_refused(bundle):
    (bundle / GRAPH_NAME).write_bytes(b"not a graph")
    rewritten_files(bundle)
    with pytest.raises(BundleError, match=r"onnxruntime cannot load classifier\.onnx"):
        opened(bundle)


def test_a_graph_of_another_size_than_its_manifest_says_is_refused_before_any_frame(bundle):
    manifest, _ = read_manifest(bundle)
    rewritten(bundle, height=manifest.height + 3)
    with pytest.raises(BundleError, match=f"takes no cells of {manifest.height + 3}×"):
        opened(bundle)


def test_a_graph_of_other_labels_than_its_manifest_says_is_refused_before_any_frame(bundle):
    rewritten(bundle, labels=["ALL", "Normal"])
    with pytest.raises(BundleError, match="the manifest names 2 labels"):
        opened(bundle)


def test_an_unknown_manifest_schema_is_refused(bundle):
    with pytest.raises(BundleError, match="has schema 99"):
        opened(forged(bundle, schema=99))


def rewritten_files(folder):
    """Write the manifest anew over whatever lies in the folder now."""
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=Manifest)
    write_manifest(folder, manifest)


def test_the_shipped_bundle_is_signed_by_the_key_that_comes_with_leukoscope():
    assert Classifier(SHIPPED_BUNDLE).manifest.name.startswith("leukoscope")


def test_an_unsigned_bundle_is_refused_unless_that_is_allowed(bundle):
    (bundle / SIGNATURE_NAME).unlink()
    with pytest.raises(BundleError, match=r"is not signed: sign it with leukoscope-model export"):
        Classifier(bundle)
    assert opened(bundle).classify([]) == []


def test_a_bundle_signed_by_an_unknown_key_is_refused_until_that_key_is_trusted(bundle, tmp_path):
    keys = new_keys(tmp_path / "keys")
    sign(bundle, keys.private)
    with pytest.raises(BundleError, match=rf"names the key {keys.fingerprint[:12]}.*trusted_keys"):
        Classifier(bundle)
    assert Classifier(bundle, Trust((keys.public,))).classify([]) == []


def test_a_trusted_key_that_is_none_is_named_with_its_setting(bundle):
    with pytest.raises(BundleError, match=r"setting trusted_keys: .*MODEL_CARD\.md is no public"):
        Classifier(bundle, Trust((bundle / "MODEL_CARD.md",)))


def test_allowing_unsigned_bundles_allows_no_altered_signature(bundle):
    path = bundle / SIGNATURE_NAME
    path.write_bytes(path.read_bytes().replace(b'"keyid":""', b'"keyid":"x"'))
    with pytest.raises(BundleError, match="is no signature of a bundle"):
        opened(bundle)


def test_one_bit_changed_anywhere_is_refused(bundle):
    draw = random.Random(400)
    files = sorted(bundle.iterdir())
    assert {file.name for file in files} >= {"manifest.json", GRAPH_NAME, SIGNATURE_NAME}
    for number in range(400):
        file = files[number % len(files)]
        data = file.read_bytes()
        place = draw.randrange(8 * len(data))
        flipped = bytearray(data)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        with pytest.raises(BundleError, match=file.name):
            Classifier(bundle)
        file.write_bytes(data)
    assert Classifier(bundle).classify([]) == []


def test_a_cell_whose_strangeness_lies_above_the_bundle_s_bound_is_unidentified(bundle):
    cells = some_cells(opened(bundle))
    graph_with_ood(bundle)
    scores = opened(rewritten(bundle, ood_above=1e9, abstain_below=0.0))
    named = scores.classify(cells)
    assert all(s.label in scores.manifest.labels for s in named)
    # `ood` is the mean brightness here: half the cells lie above the middle one.
    middle = float(np.median(cells.mean(axis=(1, 2, 3))))
    some = opened(rewritten(bundle, ood_above=middle, abstain_below=0.0)).classify(cells)
    above = cells.mean(axis=(1, 2, 3)) > middle
    assert [s.label == "unidentified" for s in some] == above.tolist()


def test_a_bundle_with_a_bound_on_strangeness_and_no_such_output_is_refused(bundle):
    onnx.save(graph_without_ood(bundle), bundle / GRAPH_NAME)
    rewritten_files(bundle)
    rewritten(bundle, ood_above=1.0)
    with pytest.raises(BundleError, match="the graph has no output ood"):
        opened(bundle)


def graph_without_ood(folder):
    """The bundle's graph, its output `ood` no output any more."""
    graph = onnx.load(folder / GRAPH_NAME)
    kept = [output for output in graph.graph.output if output.name != "ood"]
    del graph.graph.output[:]
    graph.graph.output.extend(kept)
    for node in graph.graph.node:
        node.output[:] = ["ood_before" if name == "ood" else name for name in node.output]
    return graph


def graph_with_ood(folder):
    """Make the graph's output `ood` the cell's mean brightness."""
    graph = graph_without_ood(folder)
    node = onnx.helper.make_node
    axes = onnx.numpy_helper.from_array(np.array([1, 2, 3]), "ood_axes")
    graph.graph.initializer.append(axes)
    graph.graph.node.extend(
        [
            node("Cast", ["cells"], ["ood_cells"], to=onnx.TensorProto.FLOAT),
            node("ReduceMean", ["ood_cells", "ood_axes"], ["ood"], keepdims=0),
        ]
    )
    wanted = onnx.helper.make_tensor_value_info("ood", onnx.TensorProto.FLOAT, ["n"])
    graph.graph.output.append(wanted)
    onnx.save(graph, folder / GRAPH_NAME)
    rewritten_files(folder)
