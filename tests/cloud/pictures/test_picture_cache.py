"""What is kept of pictures: bounded, private, sound, and shared by several programs."""

import asyncio
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from cloud.pictures.disk import Disk
from cloud.pictures.kept import Kept

KIB = 1024


def files(folder):
    return [file for file in folder.iterdir() if not file.name.startswith(".")]


def held(folder):
    return sum(file.stat().st_size for file in files(folder))


def test_what_was_put_comes_back_and_nothing_else(tmp_path):
    disk = Disk(tmp_path / "kept", 64 * KIB)
    disk.put("one", b"first")
    disk.put("one", b"second")
    assert disk.get("one") == b"second"
    assert disk.get("two") is None
    assert Disk(tmp_path / "kept", 64 * KIB).get("one") == b"second", "also after a restart"


def test_folder_and_files_are_for_this_user_alone(tmp_path):
    (tmp_path / "kept").mkdir(mode=0o755)
    Disk(tmp_path / "kept", 64 * KIB).put("one", b"first")
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in files(tmp_path / "kept")] == [0o600]


def test_the_limit_holds_and_what_was_used_last_stays(tmp_path):
    folder = tmp_path / "kept"
    disk = Disk(folder, 64 * KIB)
    disk.put("often", b"o" * KIB)
    for n in range(200):
        disk.put(f"{n}", b"x" * KIB)
        used = time.time() - 1000 + n  # clocks of file systems are coarse
        os.utime(disk._path(f"{n}"), (used, used))
        os.utime(disk._path("often"), (used, used))
        assert held(folder) <= 64 * KIB * 17 / 16 + 2 * KIB
    assert disk.get("often") == b"o" * KIB
    assert disk.get("199") is not None
    assert disk.get("0") is None


def test_a_damaged_file_is_no_picture_and_goes(tmp_path):
    disk = Disk(tmp_path / "kept", 64 * KIB)
    disk.put("one", b"first")
    [file] = files(tmp_path / "kept")
    for damage in (file.read_bytes()[:-1], file.read_bytes()[:-1] + b"?", b""):
        file.write_bytes(damage)
        with capture_logs() as logs:
            assert disk.get("one") is None
        assert [log["event"] for log in logs] == ["kept_picture_damaged"]
        assert not file.exists()
        disk.put("one", b"first")


def test_files_of_others_stay_and_halves_that_were_left_behind_go(tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "thesis.docx").write_bytes(b"x" * 200 * KIB)
    for name, age in ((".writing-old", 7200), (".writing-now", 0)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age, time.time() - age))
    Disk(folder, 64 * KIB)
    assert {file.name for file in folder.iterdir()} == {"thesis.docx", ".writing-now"}


def test_a_folder_that_cannot_be_used_says_what_to_do(tmp_path):
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(OSError, match="set picture_cache to a folder"):
        Disk(tmp_path / "kept", 64 * KIB)


def test_a_disk_that_is_full_is_told_of_once_and_pictures_go_on(tmp_path, monkeypatch):
    disk = Disk(tmp_path / "kept", 64 * KIB)

    def full(*_):
        raise OSError(28, "No space left on device")

    with capture_logs() as logs, monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        disk.put("one", b"first")
        disk.put("two", b"second")
    assert [(log["event"], log["cause"]) for log in logs] == [
        ("picture_not_kept", "OSError: No space left on device")
    ]
    assert list((tmp_path / "kept").iterdir()) == [], "nothing half is left"
    disk.put("one", b"first")
    assert disk.get("one") == b"first"


def _churn(folder, seed):
    """What one program does; it shares nothing with the other but the folder."""
    disk = Disk(folder, 32 * KIB)
    wrong = 0
    for n in range(400):
        name = str((n * 7 + seed) % 60)
        disk.put(name, name.encode() * 500)
        found = disk.get(str((n * 13) % 60))
        wrong += found is not None and found != str((n * 13) % 60).encode() * 500
    return wrong


def test_two_at_one_folder_never_see_a_half_and_keep_the_limit(tmp_path):
    with ThreadPoolExecutor(2) as both, capture_logs() as logs:
        wrong = list(both.map(_churn, [tmp_path / "kept"] * 2, (0, 29)))
    assert wrong == [0, 0]
    assert logs == []
    assert held(tmp_path / "kept") <= 32 * KIB * 18 / 16 + 4 * KIB
    assert not list((tmp_path / "kept").glob(".writing-*"))


async def _fill(kept):
    for n in range(10):
        await kept.put(str(n), bytes(100))
    return [n for n in range(10) if kept.at_hand(str(n)) is not None]


def test_memory_keeps_the_last_ones_only():
    assert asyncio.run(_fill(Kept(None, in_memory=350))) == [7, 8, 9]
    assert asyncio.run(_fill(Kept(None, in_memory=50))) == []
