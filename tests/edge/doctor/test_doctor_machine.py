"""The doctor on disk, clock, spool, keys and settings."""

import os
import sqlite3
import time
from collections import namedtuple
from datetime import UTC, datetime
from pathlib import Path

import pytest
from frames import frame

from edge.clock import ClockCheck
from edge.doctor import kept, machine
from edge.identity import slide_key
from edge.settings import EdgeSettings
from edge.spool import Spool
from wire.messages import Receipt

Usage = namedtuple("Usage", "total used free")


def settings(folder: Path, **given: object) -> EdgeSettings:
    return EdgeSettings(site="home", device="scope-1", data_dir=folder, **given)


@pytest.mark.parametrize(
    ("free_mb", "state", "told"),
    [
        (50_000, "ok", "room for about"),
        (250, "warning", "room for about 426 captures"),
        (100, "wrong", "room for about 0 captures"),
    ],
)
def test_the_disk_says_how_many_captures_it_still_takes(
    tmp_path, monkeypatch, free_mb, state, told
):
    usage = Usage(0, 0, free_mb * 2**20)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    found = machine.disk(settings(tmp_path / "new" / "station"))
    assert (found.state, told in found.found) == (state, True), found
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(machine.os, "access", lambda *_: False)  # root may write anywhere
    found = machine.disk(settings(tmp_path))
    assert found.state == "wrong"
    assert str(tmp_path) in found.found


def test_a_clock_that_a_time_server_sets_is_well(tmp_path):
    found = machine.clock(settings(tmp_path), lambda: 24_000)
    assert (found.state, found.found) == ("ok", "set by a time server, right within 24 ms")


@pytest.mark.parametrize("error_us", [16_000_000, None])
def test_a_clock_that_nobody_sets_is_a_warning(tmp_path, error_us):
    assert machine.clock(settings(tmp_path), lambda: error_us).state == "warning"


def test_a_clock_of_another_age_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(
        machine, "ClockCheck", lambda: ClockCheck(lambda: datetime(1970, 1, 1, tzinfo=UTC))
    )
    found = machine.clock(settings(tmp_path), lambda: 1000)
    assert found.state == "wrong"
    assert "1970" in found.found


def test_the_kernel_says_how_wrong_the_clock_may_be():
    error_us = machine.kernel_error_us()
    assert error_us is None or 0 <= error_us < 2**40


def test_a_spool_that_was_never_made_is_well_and_not_made(tmp_path):
    assert kept.spool(settings(tmp_path)).state == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_spool_says_what_waits_and_what_was_refused(tmp_path):
    station = settings(tmp_path)
    spool = Spool(station.spool_file)
    spool.save(frame())
    assert kept.spool(station).found == "whole; 1 waiting, 0 refused"
    bad = frame()
    spool.save(bad)
    at = datetime.now(UTC)
    spool.settle(Receipt(capture_id=bad.capture_id, outcome="refused", reason="x", at=at))
    found = kept.spool(station)
    assert (found.state, found.found) == ("warning", "whole; 1 waiting, 1 refused")
    assert "spool retry" in found.remedy
    spool.close()


def test_frames_that_wait_for_days_are_a_warning(tmp_path):
    station = settings(tmp_path)
    spool = Spool(station.spool_file)
    spool.save(frame())
    spool.close()
    with sqlite3.connect(station.spool_file) as db:
        db.execute("UPDATE frames SET saved_at = ?", (time.time() - 3 * 86_400,))
    db.close()
    found = kept.spool(station)
    assert found.state == "warning"
    assert "the oldest has waited 3 days" in found.found


def test_a_damaged_spool_is_wrong_and_left_as_it_is(tmp_path):
    station = settings(tmp_path)
    spool = Spool(station.spool_file)
    for _ in range(20):
        spool.save(frame())
    spool.close()
    whole = station.spool_file.read_bytes()
    damaged = whole[:4096] + b"\xff" * 8192 + whole[12_288:]
    station.spool_file.write_bytes(damaged)
    found = kept.spool(station)
    assert found.state == "wrong"
    assert "restart" in found.remedy
    assert station.spool_file.read_bytes() == damaged
    assert not (tmp_path / "quarantine").exists()


def test_a_slide_key_for_its_owner_is_well_and_one_for_all_is_wrong(tmp_path):
    station = settings(tmp_path)
    assert "not made yet" in kept.key(station).found
    assert not station.slide_key_file.exists()
    slide_key(station.slide_key_file)
    assert kept.key(station).state == "ok"
    station.slide_key_file.chmod(0o640)
    found = kept.key(station)
    assert found.state == "wrong"
    assert "mode 0640" in found.found
    assert "chmod 600" in found.remedy


def test_a_slide_key_that_is_none_is_wrong(tmp_path):
    station = settings(tmp_path)
    station.slide_key_file.write_bytes(b"short")
    station.slide_key_file.chmod(0o600)
    assert kept.key(station).state == "wrong"


def test_settings_that_show_a_password_to_all_are_a_warning(tmp_path):
    file = tmp_path / "edge.toml"
    file.touch(0o644)
    open_to_all = settings(tmp_path, broker={"username": "u", "password": "p"})
    assert kept.settings_file(open_to_all, file).remedy == f"chmod o-r {file}"
    file.chmod(0o640)
    assert kept.settings_file(open_to_all, file).state == "ok"
    assert kept.settings_file(settings(tmp_path), None).state == "ok"


def test_a_command_key_that_cannot_be_read_is_wrong(tmp_path):
    found = kept.commands(settings(tmp_path, command_key_file=tmp_path / "absent"))
    assert found.state == "wrong"
    (tmp_path / "key").write_bytes(os.urandom(64).hex().encode())
    assert kept.commands(settings(tmp_path, command_key_file=tmp_path / "key")).state == "ok"
    assert kept.commands(settings(tmp_path, allow_commands=())).state == "ok"
