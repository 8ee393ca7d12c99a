"""The reference bundle that ships inside cloud/ is sound, small and frank."""

from pathlib import Path

import numpy as np
import pytest

import cloud
from imaging.box import overlap
from imaging.cells import find_white_cells
from imaging.crop import PREPROCESSING_ID, cut_cells
from imaging.encode import encode_within
from imaging.simulator import SlideKind, Smear
from model.bundle.graph import Graph
from model.bundle.verify import verify
from model.data.cutting import opened
from wire.manifest import CARD_NAME, GRAPH_NAME, Manifest
from wire.words import RESEARCH_USE_ONLY

BUNDLE = Path(cloud.__file__).parent / "bundle"


@pytest.fixture(scope="module")
def manifest() -> Manifest:
    return verify(BUNDLE)[0]


def test_it_verifies_and_is_cut_for_by_this_imaging(manifest: Manifest) -> None:
    assert manifest.labels == ["ALL", "AML", "Normal"]
    assert manifest.preprocessing == PREPROCESSING_ID
    assert (manifest.height, manifest.width) == (64, 64)


def test_it_is_smaller_than_3_mb() -> None:
    assert sum(path.stat().st_size for path in BUNDLE.iterdir()) < 3_000_000


def test_its_card_says_what_it_is_for_and_where_all_comes_from() -> None:
    card = (BUNDLE / CARD_NAME).read_text()
    assert "Research use only" in card
    assert RESEARCH_USE_ONLY.startswith("Research use only")
    assert "not a medical device" in card
    assert "ALL was learned from the simulator only" in card
    assert "same network trained plainly" in card


def test_its_card_names_every_source_it_learned_from(manifest: Manifest) -> None:
    card = (BUNDLE / CARD_NAME).read_text()
    sources = {name.split(" ")[0] for name in manifest.trained_on}
    assert sources == {"bccd", "deepapl", "pbc", "simulator"}
    for source in sources:
        assert f"- `{source}`: " in card


def test_it_learned_nothing_from_the_outside_sources(manifest: Manifest) -> None:
    assert not [name for name in manifest.trained_on if name.startswith(("lmu", "cnmc"))]
    outside = [m for m in manifest.metrics if "lmu" in m.name]
    assert outside
    assert all("never trained on" in m.split for m in outside)


def test_every_recall_stands_beside_its_border_control(manifest: Manifest) -> None:
    recalls = [m for m in manifest.metrics if m.name.startswith("recall")]
    assert len(recalls) >= 8
    assert all("border-only probe" in m.control for m in recalls)


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
def test_it_agrees_with_the_truth_in_fields_it_never_saw(
    kind: SlideKind, manifest: Manifest
) -> None:
    graph = Graph(BUNDLE / GRAPH_NAME)
    agreed = []
    for seed in (710_001, 710_002, 710_003, 710_004):
        field = Smear(seed, kind).field(400, 700)
        sent = encode_within(field.image)
        assert sent.scale == 1
        pixels = opened(np.frombuffer(sent.data, np.uint8))
        for box in find_white_cells(pixels):
            drawn = max(field.cells, key=lambda cell: overlap(box, cell.box), default=None)
            if drawn is not None and overlap(box, drawn.box) > 0.4:
                said = graph.run(cut_cells(pixels, [box], 64, 64)).probabilities[0]
                agreed.append(manifest.labels[int(said.argmax())] == drawn.label)
    assert len(agreed) >= 4
    assert np.mean(agreed) >= 0.85
