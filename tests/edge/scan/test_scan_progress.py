"""How far a scan came is noted whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from edge.scan.plan import Area, Plan
from edge.scan.progress import ScanProgress, ScanProgressError
from edge.stage.base import Place

PLAN = Plan(Area(0, 0, 30, 20), 10, 10)


def nothing_saved(_capture_id: str) -> int | None:
    return None


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "edge" / "scan.json"


def test_what_was_noted_is_there_after_reopening(file):
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    progress.saved(4, Place(0, 0, 1.25))
    progress.refused("empty-field", Place(10, 0, 1.25))
    progress.refused("empty-field", Place(20, 0, 1.25))
    progress.saved(0, Place(20, 10, 1.5))
    again = ScanProgress.resume(file, nothing_saved)
    assert again is not None
    assert again.resumed
    assert again.noted == progress.noted
    assert (again.noted.fields, again.noted.saved, again.noted.cells) == (4, 2, 4)
    assert again.noted.refused == {"empty-field": 2}
    assert again.noted.place == Place(20, 10, 1.5)
    assert again.noted.plan == PLAN


def test_only_the_stations_user_reads_it(file):
    ScanProgress.begin(file, "s0123", PLAN, 100)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_without_a_scan_there_is_nothing_to_go_on_with(file):
    assert ScanProgress.resume(file, nothing_saved) is None
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    progress.discard()
    progress.discard()
    assert ScanProgress.resume(file, nothing_saved) is None


def test_a_new_scan_takes_the_place_of_the_old_one(file):
    ScanProgress.begin(file, "s0123", PLAN, 100).saved(4, Place(0, 0))
    ScanProgress.begin(file, "s9999", PLAN, 50)
    again = ScanProgress.resume(file, nothing_saved)
    assert again is not None
    assert (again.noted.slide, again.noted.fields) == ("s9999", 0)


def test_a_cut_while_writing_leaves_the_note_before(file, monkeypatch):
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    progress.saved(4, Place(0, 0))

    def cut(descriptor: int) -> None:
        raise OSError(5, "the power is gone")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(ScanProgressError, match=r"cannot be written \(the power is gone\): free"):
        progress.saved(9, Place(10, 0))
    assert progress.noted.cells == 4
    again = ScanProgress.resume(file, nothing_saved)
    assert again is not None
    assert (again.noted.fields, again.noted.cells) == (1, 4)


@pytest.mark.parametrize("cells", [0, 7])
def test_a_field_saved_just_before_the_cut_is_done_and_counts_once(cells, file):
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    progress.saved(4, Place(0, 0))
    reserved = progress.taking(Place(10, 0, 1.5))
    saved = {reserved: cells}
    for _ in range(3):  # the power may fail again and again
        again = ScanProgress.resume(file, saved.get)
        assert again is not None
        assert (again.noted.fields, again.noted.saved, again.noted.cells) == (2, 2, 4 + cells)
        assert again.noted.place == Place(10, 0, 1.5)


def test_a_field_that_was_not_saved_before_the_cut_is_taken_under_a_newer_id(file):
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    reserved = progress.taking(Place(0, 0, 1.5))
    again = ScanProgress.resume(file, nothing_saved)
    assert again is not None
    assert (again.noted.fields, again.noted.place) == (0, Place(0, 0, 1.5))
    assert again.taking(Place(0, 0, 1.5)) > reserved


def test_an_id_that_a_refused_field_had_is_asked_for_no_more(file):
    progress = ScanProgress.begin(file, "s0123", PLAN, 100)
    progress.taking(Place(0, 0))
    progress.refused("empty-field", Place(0, 0))
    asked: list[str] = []
    ScanProgress.resume(file, asked.append)
    assert asked == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"slide": "s01',
        b'{"slide":"s01","plan":{"area":{"x":0,"y":0,"width":0,"height":1},"step_x_um":1,'
        b'"step_y_um":1},"target_cells":5}',
        b'{"slide":"s01","plan":{"area":{"x":0,"y":0,"width":1,"height":1},"step_x_um":1,'
        b'"step_y_um":1},"target_cells":5,"fields":9}',
        b'{"slide":"s01","plan":{"area":{"x":0,"y":0,"width":1,"height":1},"step_x_um":1,'
        b'"step_y_um":1},"target_cells":5,"schema":2}',
    ],
)
def test_a_damaged_note_is_put_aside_and_said(content, file):
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(
        ScanProgressError, match=r"was damaged .*begin the scan again; what was cap"
    ):
        ScanProgress.resume(file, nothing_saved)
    assert file.with_suffix(".damaged").read_bytes() == content
    assert ScanProgress.resume(file, nothing_saved) is None
