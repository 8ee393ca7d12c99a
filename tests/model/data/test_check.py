"""A check of data says what makes figures from them suspect, and never what metadata says."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import write_folder, write_picture
from PIL import Image
from typer.testing import CliRunner

from model.cli import app
from model.data.cells import CellSet
from model.data.check.check import class_follows_source
from model.data.check.probe import probes
from model.data.check.red import suspicious
from model.data.check.traces import traces

CANARY = "Zebedee Quillfeather"


@pytest.fixture(scope="module")
def messy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources of one class each; a picture twice, a broken one, one that tells a name."""
    folder = tmp_path_factory.mktemp("messy")
    write_folder(folder / "clinic", [("AML", "myeloblast")], patients=4, each=1)
    write_folder(folder / "donors", [("Normal", "lymphocyte")], patients=4, each=1, seed=2)
    shutil.copy(folder / "clinic/AML/p0_0.png", folder / "donors/Normal/p9_0.png")
    (folder / "donors/Normal/p8_0.png").write_bytes(b"not a picture")
    telling = Image.open(folder / "donors/Normal/p1_0.png")
    exif = Image.Exif()
    exif[0x010E], exif[0x0132] = CANARY, "2020:02:03 04:05:06"  # ImageDescription, DateTime
    telling.save(folder / "donors/Normal/p1_2020-02-03.png", exif=exif)
    (folder / "donors/Normal/p1_0.png").unlink()
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn") / "check.png"


@pytest.fixture(scope="module")
def checked(messy: Path, drawn: Path) -> dict[str, Any]:
    done = CliRunner().invoke(
        app,
        ["data", "check", "--data", f"folder:{messy}", "--json", "--threads", "1", "--size", "28",
         "--picture", str(drawn)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert CANARY not in done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_cells_are_counted_by_class_and_source(checked: dict[str, Any]) -> None:
    assert checked["counts"] == [
        {"source": "clinic", "label": "AML", "cells": 4, "groups": 4},
        {"source": "donors", "label": "Normal", "cells": 5, "groups": 5},
    ]


def test_a_picture_that_cannot_be_read_is_listed_and_ends_nothing(checked: dict[str, Any]) -> None:
    (line,) = checked["unreadable"]
    assert "p8_0.png" in line
    assert "1 pictures cannot be read" in checked["red"]


def test_the_same_file_under_two_classes_is_red_and_stays_on_one_side(
    checked: dict[str, Any],
) -> None:
    twin = checked["twins"][0]
    assert twin["one"].endswith("clinic/AML/p0_0.png")
    assert twin["other"].endswith("donors/Normal/p9_0.png")
    assert twin["exact"]
    assert twin["across_classes"]
    assert not twin["across_split"]
    assert any("the same file under two classes" in line for line in checked["red"])


def test_class_that_follows_source_is_red(checked: dict[str, Any]) -> None:
    assert checked["class_follows_source"] == 1
    assert checked["red"][0].startswith("class follows source (Cramér's V 1.00)")
    assert any("every AML cell is from clinic" in line for line in checked["red"])


def test_metadata_are_named_and_not_told(checked: dict[str, Any]) -> None:
    names = {trace["name"] for trace in checked["traces"] if trace["identifying"]}
    assert names == {"DateTime", "ImageDescription", "file name: a date"}


def test_size_and_colour_are_told_by_source(checked: dict[str, Any]) -> None:
    clinic = checked["looks"][0]
    assert clinic["pictures"] == 4
    assert list(clinic["sizes"].values()) == [4]
    assert all(50 < value < 255 for value in clinic["mean"])


def test_the_picture_is_written(checked: dict[str, Any], drawn: Path) -> None:
    assert checked["notice"]
    with Image.open(drawn) as picture:
        assert picture.size[0] > 800


def test_the_text_shows_what_is_red(messy: Path) -> None:
    done = CliRunner().invoke(
        app, ["data", "check", "--data", f"folder:{messy}", "--threads", "1", "--size", "28",
              "--split", "random"]
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    said = " ".join(done.stdout.split())
    assert CANARY not in said
    assert "red: class follows source" in said
    assert "ImageDescription in 1 pictures (could identify)" in said
    assert "split random" in said


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["data", "check", "--data", f"folder:{tmp_path / 'gone'}"])
    assert done.exit_code == 1
    assert "is not a folder" in done.stderr


def told_by_border(tells: bool) -> CellSet:
    """80 cells of 20 patients; the border of a class is lighter, or is not."""
    draw = np.random.default_rng(1)
    labels = np.repeat([1, 2], 40)
    cells = draw.integers(90, 110, (80, 1, 28, 28, 3), np.uint8)
    cells[:, :, 8:20, 8:20] += (labels * 20).astype(np.uint8)[:, None, None, None, None]
    if tells:
        cells[:, :, :2] += (labels * 10).astype(np.uint8)[:, None, None, None, None]
    names = np.array([f"c{n}" for n in range(80)])
    groups = np.array([f"g{n // 4}" for n in range(80)])
    return CellSet(cells, labels, np.full(80, "one"), groups, names, names, names)


@pytest.mark.parametrize("tells", [True, False])
def test_the_probe_finds_class_in_the_border_where_it_is(tells: bool) -> None:
    pooled, one = probes(told_by_border(tells), seed=1)
    assert (pooled.source, one.source) == ("pooled", "one")
    assert one.chance == 0.5
    assert suspicious(one) == tells
    assert (one.balanced_accuracy > 0.95) == tells


def test_a_source_of_one_class_has_no_probe() -> None:
    cells = told_by_border(False)
    assert probes(cells.take(cells.labels == 1), seed=1) == []
    assert class_follows_source(cells) == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Im001_1.jpg", []),
        ("BA_580.jpg", []),
        ("p004_00.jpg", []),
        ("slide 2019-11-30.png", ["file name: a date"]),
        ("31.12.2020_x.png", ["file name: a date"]),
        ("12345678.png", ["file name: a long number"]),
        ("Ada_Lovelace.png", ["file name: two capitalised words"]),
    ],
)
def test_names_of_files_may_tell(name: str, said: list[str], tmp_path: Path) -> None:
    plain = write_picture(tmp_path / "a.png", np.full((8, 8, 3), 200, np.uint8))
    assert list(traces(plain.read_bytes(), name)) == said


@pytest.mark.parametrize(("suffix", "tag"), [("tif", "Artist"), ("jpg", "JPEG comment")])
def test_tags_of_tiff_and_jpeg_are_named(suffix: str, tag: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    options: dict[str, Any] = {"tiffinfo": {315: CANARY}} if suffix == "tif" else {}
    if suffix == "jpg":
        options = {"comment": CANARY}
    Image.new("RGB", (8, 8)).save(path, **options)
    assert tag in list(traces(path.read_bytes(), path.name))
