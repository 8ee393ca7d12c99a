"""A bundle is read only when it is exactly the one its manifest describes."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest

from wire.manifest import (
    CARD_NAME,
    GRAPH_NAME,
    MANIFEST_NAME,
    BundleError,
    Manifest,
    Metric,
    read_manifest,
    write_manifest,
)
from wire.signature import SIGNATURE_NAME


def described(**changes: object) -> Manifest:
    fields: dict[str, Any] = {
        "name": "example",
        "version": "1.0.0",
        "labels": ["ALL", "AML", "Normal"],
        "height": 28,
        "width": 28,
        "preprocessing": "square-1.25-reflect-area/1",
        "abstain_below": 0.6,
        "data_digest": "d" * 64,
        "metrics": [Metric("balanced accuracy", 0.8, 0.7, 0.9, 120, "by slide seed, simulator")],
        "trained_on": {"simulator": 1200},
        "command": "leukoscope-model train",
        "versions": {"tensorflow": "2.18.0"},
        "files": {},
    }
    return Manifest(**(fields | changes))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / GRAPH_NAME).write_bytes(b"stands for a graph: only its bytes matter here")
    (tmp_path / CARD_NAME).write_text("# Model card\n", encoding="utf-8")
    write_manifest(tmp_path, described())
    return tmp_path


def rewritten(bundle: Path, **changes: object) -> None:
    path = bundle / MANIFEST_NAME
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes))


def test_a_bundle_is_read_as_it_was_written(bundle: Path) -> None:
    manifest, sha256 = read_manifest(bundle)
    assert set(manifest.files) == {GRAPH_NAME, CARD_NAME}
    assert manifest == described(files=manifest.files)
    assert manifest.files[GRAPH_NAME] == _sha256(bundle / GRAPH_NAME)
    assert sha256 == _sha256(bundle / MANIFEST_NAME)


def test_writing_a_manifest_again_changes_no_byte(bundle: Path) -> None:
    before = (bundle / MANIFEST_NAME).read_bytes()
    write_manifest(bundle, described())
    assert (bundle / MANIFEST_NAME).read_bytes() == before


def test_files_in_folders_are_part_of_the_bundle(bundle: Path) -> None:
    (bundle / "extra").mkdir()
    (bundle / "extra" / MANIFEST_NAME).write_text("{}", encoding="utf-8")
    write_manifest(bundle, described())
    manifest, _ = read_manifest(bundle)
    assert f"extra/{MANIFEST_NAME}" in manifest.files


def test_a_changed_file_is_refused_by_name(bundle: Path) -> None:
    graph = bytearray((bundle / GRAPH_NAME).read_bytes())
    graph[3] ^= 1
    (bundle / GRAPH_NAME).write_bytes(graph)
    with pytest.raises(BundleError, match=rf"{GRAPH_NAME} is not the file.*again"):
        read_manifest(bundle)


def test_a_missing_file_is_refused_by_name(bundle: Path) -> None:
    (bundle / CARD_NAME).unlink()
    with pytest.raises(BundleError, match=rf"lacks {CARD_NAME}"):
        read_manifest(bundle)


def test_an_added_file_is_refused_by_name(bundle: Path) -> None:
    (bundle / "hook.py").write_text("", encoding="utf-8")
    with pytest.raises(BundleError, match=r"does not name: hook\.py"):
        read_manifest(bundle)


def test_a_manifest_cannot_reach_out_of_its_folder(bundle: Path) -> None:
    outside = bundle.parent / "outside.onnx"
    outside.write_bytes(b"outside")
    manifest, _ = read_manifest(bundle)
    rewritten(bundle, files=manifest.files | {"../outside.onnx": _sha256(outside)})
    with pytest.raises(BundleError, match="lacks"):
        read_manifest(bundle)


def test_a_manifest_without_a_graph_is_refused(tmp_path: Path) -> None:
    write_manifest(tmp_path, described())
    with pytest.raises(BundleError, match=f"names no {GRAPH_NAME}"):
        read_manifest(tmp_path)


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a model bundle"):
        read_manifest(tmp_path)


def test_a_bundle_of_the_schema_before_is_still_read(bundle: Path) -> None:
    path = bundle / MANIFEST_NAME
    old = json.loads(path.read_text(encoding="utf-8"))
    for new in (
        "ood_score",
        "ood_above",
        "conformal_level",
        "conformal_threshold",
        "int8",
        "generator",
        "weights_digest",
        "licences",
    ):
        del old[new]
    path.write_text(json.dumps(old | {"schema": 1}))
    manifest, _ = read_manifest(bundle)
    assert manifest.schema == 1
    assert manifest.ood_above is None
    assert manifest.licences == {}


def test_a_report_names_everything_that_is_wrong_at_once(bundle: Path) -> None:
    (bundle / GRAPH_NAME).write_bytes(b"another")
    (bundle / CARD_NAME).unlink()
    (bundle / "hook.py").write_text("", encoding="utf-8")
    wanted = rf"lacks {CARD_NAME}.*not name: hook\.py.*{GRAPH_NAME} is not the file"
    with pytest.raises(BundleError, match=wanted):
        read_manifest(bundle)


def test_writing_a_manifest_removes_a_signature_that_is_of_another(bundle: Path) -> None:
    (bundle / SIGNATURE_NAME).write_text("of the manifest before", encoding="utf-8")
    assert read_manifest(bundle)[0].files.keys() == {GRAPH_NAME, CARD_NAME}
    write_manifest(bundle, described(version="1.0.1"))
    assert not (bundle / SIGNATURE_NAME).exists()


def test_a_manifest_of_another_schema_says_what_to_do(bundle: Path) -> None:
    rewritten(bundle, schema=3)
    wanted = r"schema 3; this program reads 1 and 2: update leukoscope"
    with pytest.raises(BundleError, match=wanted):
        read_manifest(bundle)


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["ALL"]},
        {"labels": ["ALL", "CML"]},
        {"height": 4},
        {"abstain_below": 1.5},
        {"temperature": 0},
        {"input_kind": "slide"},
        {"metrics": [{"name": "accuracy", "value": 0.9}]},
    ],
)
def test_a_manifest_with_a_field_out_of_bounds_is_refused(
    changes: dict[str, object], bundle: Path
) -> None:
    rewritten(bundle, **changes)
    with pytest.raises(BundleError, match="is not a bundle manifest"):
        read_manifest(bundle)


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b'{"schema": "1"}', b'{"schema": 1, "name": "\xff"}', b"[" * 3000]
)
def test_a_damaged_manifest_is_refused_as_one(raw: bytes, bundle: Path) -> None:
    (bundle / MANIFEST_NAME).write_bytes(raw)
    with pytest.raises(BundleError, match="is not a bundle manifest"):
        read_manifest(bundle)


@pytest.mark.parametrize("changes", [{"abstain_below": 1.5}, {"abstain_below": math.nan}])
def test_a_manifest_that_nobody_could_read_is_not_written(
    changes: dict[str, float], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"abstain_below|JSON compliant"):
        write_manifest(tmp_path, described(**changes))
    assert not (tmp_path / MANIFEST_NAME).exists()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
