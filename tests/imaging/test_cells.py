"""White cells found in real and drawn fields, and nothing found where there is none."""

import runpy
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imaging.agreement import agree, total
from imaging.box import Box
from imaging.cells import FINDER_ID, MAX_CELLS, find_white_cells
from imaging.decode import decode
from imaging.simulator import Smear
from imaging.types import Image
from wire.limits import MAX_CELLS as MAX_CELLS_OF_A_MESSAGE

BENCH: dict[str, Any] = runpy.run_path(str(Path(__file__).parents[1] / "bench" / "cells.py"))
"""The bench measures, these tests assert: both read the real images alike."""


def _resized(image: Image, factor: float) -> Image:
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def drawn_field() -> tuple[Image, list[Box]]:
    field = Smear(1, "ALL").field(200.0, 0.0)
    return field.image, [cell.box for cell in field.cells]


@pytest.mark.parametrize(
    ("odd", "recall", "precision"), [(False, 0.98, 0.96), (True, 0.97, 0.95)], ids=["even", "odd"]
)
def test_white_cells_of_real_fields_are_found(
    real_images: Path, odd: bool, recall: float, precision: float
) -> None:
    agreement, _ = BENCH["scored"](BENCH["bccd"](real_images, odd))
    assert agreement.true > 180
    assert agreement.recall > recall
    assert agreement.precision > precision
    assert np.mean(agreement.overlaps) > 0.8


@pytest.mark.parametrize("factor", [0.5, 2])
def test_real_fields_of_another_resolution_are_read_alike(real_images: Path, factor: float) -> None:
    agreement, _ = BENCH["scored"](BENCH["bccd"](real_images, True), factor)
    assert agreement.recall > 0.97
    assert agreement.precision > 0.95


def test_a_field_four_times_as_wide_is_read_at_its_own_scale(real_images: Path) -> None:
    tiles = [pair for pair, _ in zip(BENCH["bccd"](real_images, True), range(16), strict=False)]
    rows = [np.hstack([image for image, _ in tiles[i : i + 4]]) for i in range(0, 16, 4)]
    true = [
        box._replace(x=box.x + 640 * (n % 4), y=box.y + 480 * (n // 4))
        for n, (_, boxes) in enumerate(tiles)
        for box in boxes
    ]
    agreement = agree(find_white_cells(np.vstack(rows)), true)
    assert agreement.recall > 0.9
    assert agreement.precision > 0.8


@pytest.mark.parametrize(("source", "rate"), [("pbc", 0.97), ("deepapl", 0.95), ("lmu", 0.94)])
def test_the_one_cell_of_a_single_cell_image_is_found(
    real_images: Path, source: str, rate: float
) -> None:
    paths = BENCH["single_cells"](real_images, source, BENCH["SINGLES"][source])
    assert len(paths) == BENCH["SINGLES"][source]
    hits = [BENCH["is_hit"](decode(path.read_bytes())) for path in paths]
    assert np.mean(hits) > rate


@pytest.mark.parametrize("kind", ["Normal", "ALL", "AML"])
def test_white_cells_of_drawn_fields_are_found(kind: Any) -> None:
    parts = []
    for seed in range(4):
        field = Smear(seed, kind).field(150.0 * seed, 40.0)
        parts.append(agree(find_white_cells(field.image), [cell.box for cell in field.cells]))
    agreement = total(parts)
    assert agreement.true >= 4
    assert agreement.recall > 0.9
    assert np.mean(agreement.overlaps) > 0.85


def test_platelets_of_a_drawn_field_are_no_cells() -> None:
    smear = Smear(5)
    spots = [(40.0 * n, 0.0) for n in range(60)]
    for x, y in [spot for spot in spots if not smear.has_white_cell(*spot)][:8]:
        image = smear.field(x, y).image
        for box in find_white_cells(image):
            # No white cell has its middle here, so one that is found must be cut by the edge.
            assert box.x == 0 or box.y == 0 or box.x + box.w == 1280 or box.y + box.h == 960


def test_a_turned_field_has_the_same_cells(drawn_field: tuple[Image, list[Box]]) -> None:
    image, _ = drawn_field
    turned = np.ascontiguousarray(image[::-1, ::-1])
    rows, columns = image.shape[:2]
    back = [
        Box(columns - box.x - box.w, rows - box.y - box.h, box.w, box.h)
        for box in find_white_cells(turned)
    ]
    agreement = agree(back, find_white_cells(image), 0.8)
    assert agreement.recall == agreement.precision == 1


@pytest.mark.parametrize(
    "tint",
    [(1.0, 0.92, 0.8), (0.9, 1.0, 1.0), (0.7, 0.7, 0.7)],
    ids=["cream", "bluish", "dim"],
)
def test_the_lamps_colour_does_not_matter(
    drawn_field: tuple[Image, list[Box]], tint: tuple[float, float, float]
) -> None:
    image, true = drawn_field
    lit = np.asarray(image * np.array(tint), np.uint8)
    assert agree(find_white_cells(lit), true).recall == agree(find_white_cells(image), true).recall


def test_boxes_are_ordered_and_the_same_every_time(drawn_field: tuple[Image, list[Box]]) -> None:
    image, _ = drawn_field
    found = find_white_cells(image)
    assert found == find_white_cells(image.copy())
    assert found == sorted(found, key=lambda box: (box.y, box.x))


def test_an_image_that_is_a_view_of_a_larger_one_is_read(
    drawn_field: tuple[Image, list[Box]],
) -> None:
    image, _ = drawn_field
    view = image[10:-10, 20:-20]
    assert find_white_cells(view) == find_white_cells(np.ascontiguousarray(view))


@pytest.mark.parametrize("level", [0, 60, 200, 255])
def test_a_uniform_image_has_no_cells(level: int) -> None:
    assert find_white_cells(np.full((480, 640, 3), level, np.uint8)) == []


def test_bare_glass_with_noise_has_no_cells() -> None:
    rng = np.random.default_rng(2)
    glass = np.clip(rng.normal(210, 4, (480, 640, 3)), 0, 255).astype(np.uint8)
    assert find_white_cells(glass) == []


def test_red_cells_alone_are_no_white_cells() -> None:
    field = np.full((480, 640, 3), (205, 206, 200), np.uint8)
    for x in range(60, 640, 110):
        for y in range(60, 480, 110):
            cv2.circle(field, (x, y), 48, (175, 150, 160), -1, cv2.LINE_AA)
            cv2.circle(field, (x, y), 18, (195, 185, 188), -1, cv2.LINE_AA)
    assert find_white_cells(field) == []


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 200),
    columns=st.integers(1, 200),
    seed=st.integers(0, 1000),
    block=st.integers(1, 60),
)
@example(rows=1, columns=4, seed=0, block=1)
def test_boxes_lie_inside_whatever_image(rows: int, columns: int, seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (rows // block + 1, columns // block + 1, 3), dtype=np.uint8)
    image = np.kron(coarse, np.ones((block, block, 1), np.uint8))[:rows, :columns]
    found = find_white_cells(np.asarray(image, np.uint8))
    assert len(found) <= MAX_CELLS
    for box in found:
        assert box.w >= 1
        assert box.h >= 1
        assert 0 <= box.x <= box.x + box.w <= columns
        assert 0 <= box.y <= box.y + box.h <= rows


def test_a_message_can_name_every_cell_that_is_found() -> None:
    assert MAX_CELLS == MAX_CELLS_OF_A_MESSAGE
    assert FINDER_ID


@pytest.mark.parametrize(
    ("found", "true", "recall", "precision"),
    [
        ([], [], 1, 1),
        ([Box(0, 0, 10, 10)], [], 1, 0),
        ([], [Box(0, 0, 10, 10)], 0, 1),
        ([Box(0, 0, 10, 10), Box(1, 0, 10, 10)], [Box(0, 0, 10, 10)], 1, 0.5),
        ([Box(0, 0, 10, 10)], [Box(0, 0, 10, 10), Box(1, 0, 10, 10)], 0.5, 1),
        ([Box(0, 0, 10, 10)], [Box(0, 6, 10, 10)], 0, 0),
    ],
)
def test_boxes_are_matched_one_to_one(
    found: list[Box], true: list[Box], recall: float, precision: float
) -> None:
    agreement = agree(found, true)
    assert (agreement.recall, agreement.precision) == (recall, precision)
