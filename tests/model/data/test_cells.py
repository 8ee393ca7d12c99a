"""Cells are cut for training as the cloud cuts them, from real pictures and drawn ones."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from imaging.box import Box, overlap
from imaging.cells import find_white_cells
from imaging.crop import cut_cells
from imaging.simulator import Smear, render_cell
from imaging.types import Image
from model.data.cutting import Cutter, opened
from model.data.finding import central_box
from model.data.gather import gather
from model.data.index import IndexSource
from model.data.simulator import SimulatorSource, look
from model.errors import ModelError


def silent(done: int, total: int) -> None:
    assert 0 < done <= total


def noise(rows: int, columns: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)


def index_of(folder: Path, rows: list[dict[str, str]]) -> Path:
    path = folder / "index.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "source", "patient", "cell_type", "label"])
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_first_cut_is_what_the_cloud_would_cut() -> None:
    image, box = noise(120, 160), Box(50, 30, 40, 50)
    cuts = Cutter(size=32, variants=4, seed=1).cut(image, box, "a cell")
    assert cuts.shape == (4, 32, 32, 3)
    assert np.array_equal(cuts[0], cut_cells(image, [box], 32, 32)[0])


def test_a_cell_is_cut_the_same_way_each_time_and_another_one_otherwise() -> None:
    image, box = noise(120, 160), Box(50, 30, 40, 50)
    cutter = Cutter(size=32, variants=3, seed=1)
    assert np.array_equal(cutter.cut(image, box, "one"), cutter.cut(image, box, "one"))
    assert not np.array_equal(cutter.cut(image, box, "one")[1], cutter.cut(image, box, "two")[1])


@pytest.mark.parametrize("box", [Box(0, 0, 9, 9), Box(150, 110, 10, 10), Box(0, 0, 160, 120)])
def test_a_cell_at_the_edge_is_cut_without_black(box: Box) -> None:
    image = np.full((120, 160, 3), 200, np.uint8)
    assert Cutter(size=32, variants=4, seed=1).cut(image, box, "edge").min() > 190


def test_the_middle_cell_is_found_in_a_portrait() -> None:
    drawn = render_cell("lymphoblast", 3)
    assert overlap(central_box(drawn.image), drawn.box) > 0.6


def test_a_picture_without_a_cell_gives_a_centred_box() -> None:
    assert central_box(np.full((100, 200, 3), 230, np.uint8)) == Box(75, 25, 50, 50)


def test_cells_of_a_field_come_through_jpeg_with_their_truth() -> None:
    seen = look(Smear(11, "AML"), 0)
    boxes = find_white_cells(seen.image)
    assert seen.cells
    assert all(box in boxes for box, _ in seen.cells)
    assert len(boxes) == len({box for box, _ in seen.cells}) + seen.invented


def test_simulated_cells_show_every_class_and_group_by_slide() -> None:
    cells = gather(SimulatorSource(12, seed=4, threads=1), Cutter(16, 1, 1), silent)
    assert set(cells.labels.tolist()) == {0, 1, 2}
    assert len(set(cells.keys)) == len(cells)
    fields = np.char.startswith(cells.keys, "field/")
    assert fields.any()
    assert (~fields).any()
    assert not set(cells.groups[fields]) & set(cells.groups[~fields])


def test_two_processes_draw_what_one_draws() -> None:
    one = list(SimulatorSource(6, seed=4, threads=1).cells(Cutter(16, 2, 1), silent))
    two = list(SimulatorSource(6, seed=4, threads=2).cells(Cutter(16, 2, 1), silent))
    assert [cell.key for cell in one] == [cell.key for cell in two]
    assert all(np.array_equal(a.cells, b.cells) for a, b in zip(one, two, strict=True))


def test_an_index_gives_patients_as_groups_and_skips_platelets(tmp_path: Path) -> None:
    picture = render_cell("neutrophil", 1).image
    assert cv2.imwrite(str(tmp_path / "a.png"), picture)
    common = {"path": "a.png", "source": "pbc", "cell_type": "neutrophil", "label": "Normal"}
    rows = [
        common | {"patient": "p1"},
        common | {"patient": ""},
        common | {"patient": "", "cell_type": "platelet", "label": ""},
    ]
    cells = gather(IndexSource(index_of(tmp_path, rows)), Cutter(16, 1, 1), silent)
    assert cells.groups.tolist() == ["pbc/p1", "pbc/a.png"]
    assert cells.labels.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"path": "gone.png"}, "gone.png, which cannot be read"),
        ({"path": "text.png"}, "not an image"),
    ],
)
def test_an_index_says_which_picture_cannot_be_read(
    tmp_path: Path, change: dict[str, str], said: str
) -> None:
    (tmp_path / "text.png").write_text("not a picture")
    row = {"source": "pbc", "patient": "", "cell_type": "neutrophil", "label": "Normal"} | change
    with pytest.raises(ModelError, match=said):
        list(IndexSource(index_of(tmp_path, [row])).cells(Cutter(16, 1, 1), silent))


def test_real_cells_are_found_in_the_middle(real_images: Path) -> None:
    with (real_images / "index.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] in ("deepapl", "pbc")]
    chosen = [row for row in rows if row["cell_type"] != "platelet"][::160]
    fallen_back = 0
    for row in chosen:
        image = opened(np.fromfile(real_images / row["path"], np.uint8))
        fallen_back += central_box(image) not in find_white_cells(image)
    assert fallen_back <= len(chosen) // 10
