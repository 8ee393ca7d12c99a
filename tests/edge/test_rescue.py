"""A damaged spool: whoever sends it rescues it, to the end, and nobody else touches it."""

import sqlite3
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from edge_program import edge
from frames import frame

from edge.settings import EdgeSettings
from edge.single import SenderLock
from edge.spool import Spool, SpoolError, SpoolFullError, open_or_rescue, open_spool
from edge.station import open_station
from wire.codec import decode_frame
from wire.messages import Receipt


def rescued(file: Path):
    """As the agent starts."""
    with held(file) as lock:
        return open_or_rescue(file, lock)


@contextmanager
def held(file: Path):
    lock = SenderLock(file.with_name("sender.lock"))
    assert lock.take()
    try:
        yield lock
    finally:
        lock.give()


def filled(file: Path, count: int = 30) -> list[str]:
    spool = Spool(file)
    sent = [frame(i) for i in range(count)]
    for one in sent:
        spool.save(one)
    spool._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    spool.close()
    return [one.capture_id for one in sent]


def test_a_damaged_page_costs_the_frames_on_it_and_no_more(tmp_path):
    file = tmp_path / "spool.db"
    ids = filled(file)
    data = bytearray(file.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4096] = b"\xa5" * 4096
    file.write_bytes(data)
    spool, rescue = rescued(file)
    assert rescue is not None
    assert rescue.salvaged >= len(ids) - 4
    assert set(spool.waiting(100)) <= set(ids)
    assert len(spool.waiting(100)) == rescue.salvaged
    for capture_id in spool.waiting(100):
        decode_frame(spool.payload(capture_id))
    assert (rescue.quarantines[0] / "spool.db").read_bytes() == bytes(data)
    spool.close()


def test_a_destroyed_header_costs_nothing_where_the_rest_is_whole(tmp_path):
    file = tmp_path / "spool.db"
    ids = filled(file)
    data = bytearray(file.read_bytes())
    data[:4096] = b"\0" * 4096
    file.write_bytes(data)
    spool, rescue = rescued(file)
    assert rescue is not None
    assert spool.waiting(100) == ids
    spool.close()


def test_a_file_that_is_no_database_is_put_aside_and_capture_goes_on(tmp_path):
    file = tmp_path / "spool.db"
    file.write_bytes(b"not a database at all, " * 1000)
    spool, rescue = rescued(file)
    assert rescue is not None
    assert rescue.salvaged == 0
    spool.save(frame())
    assert len(spool.waiting(10)) == 1
    spool.close()


def damage(file: Path) -> None:
    """A page in the middle, in place: whoever has the file open has the same one."""
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 8192 * 4096)
        opened.write(b"\xa5" * 4096)


def cut_off_after(count: int, monkeypatch, error: Exception) -> None:
    """The next rescue ends in an error when so many frames were taken over."""
    adopt, left = Spool.adopt, [count]

    def failing(spool, row):
        if left[0] == 0:
            raise error
        left[0] -= 1
        return adopt(spool, row)

    monkeypatch.setattr(Spool, "adopt", failing)


class PulledPlug(BaseException):
    """Ends a rescue where it stands."""


def test_a_process_beside_the_agent_leaves_a_damaged_spool_where_it_lies(tmp_path):
    file = tmp_path / "spool.db"
    ids = filled(file)
    agent = Spool(file)
    damage(file)
    with pytest.raises(SpoolError, match="restart the agent, which rescues it"):
        open_spool(file)
    assert not (tmp_path / "quarantine").exists()
    late = frame(99)
    agent.save(late)
    agent.close()
    spool, rescue = rescued(file)
    assert rescue is not None
    assert late.capture_id in spool.waiting(100)
    assert len(spool.waiting(100)) >= len(ids) - 3
    spool.close()


def test_without_the_senders_lock_nothing_is_rescued(tmp_path):
    file = tmp_path / "spool.db"
    filled(file)
    damage(file)
    with pytest.raises(SpoolError, match="lock"):
        open_or_rescue(file, SenderLock(tmp_path / "sender.lock"))
    assert not (tmp_path / "quarantine").exists()


@pytest.mark.parametrize("command", [["retry"], ["export", "stick"]])
def test_the_spool_commands_say_that_the_agent_rescues_it(tmp_path, command):
    file = tmp_path / "station" / "spool.db"
    filled(file)
    damage(file)
    ended = edge(
        "spool", *command, site="home", device="scope-1", data_dir=file.parent, min_free_mb=0
    )
    assert ended.returncode == 1
    assert "restart the agent" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (file.parent / "quarantine").exists()


def test_a_station_that_does_not_send_rescues_nothing_and_one_that_does_tells_it(tmp_path):
    file = tmp_path / "spool.db"
    filled(file)
    damage(file)
    settings = EdgeSettings(
        site="home", device="scope-1", data_dir=tmp_path, min_free_mb=0, camera="simulator:7:ALL"
    )
    with (
        held(file),
        pytest.raises(SpoolError, match="restart the agent"),
        open_station(settings, attended=False),
    ):
        pytest.fail("it opened a damaged spool")
    assert not (tmp_path / "quarantine").exists()
    with open_station(settings, attended=False) as station:
        assert station.rescue is not None
        assert [one.code for one in station.troubles.all()] == ["spool-rescued"]
        assert str(tmp_path) not in str(station.troubles)


def test_a_capture_into_a_spool_that_was_put_aside_does_not_show_saved(tmp_path):
    file = tmp_path / "spool.db"
    filled(file)
    beside = Spool(file)
    damage(file)
    early = frame(98)
    beside.save(early)
    spool, _ = rescued(file)
    with pytest.raises(SpoolError, match="no longer where"):
        beside.save(frame(99))
    beside.close()
    assert early.capture_id in spool.waiting(100)
    spool.close()


def test_a_rescue_that_was_cut_off_is_gone_on_with_at_the_next_start(tmp_path, monkeypatch):
    file = tmp_path / "spool.db"
    ids = filled(file)
    damage(file)
    with monkeypatch.context() as patch:
        cut_off_after(5, patch, PulledPlug())
        with pytest.raises(PulledPlug):
            rescued(file)
    beside = open_spool(file)  # whole, and partial
    assert beside.waiting(100) == ids[:5]
    beside.close()
    spool, rescue = rescued(file)
    assert rescue is not None
    assert rescue.salvaged >= len(ids) - 5 - 3
    assert len(spool.waiting(100)) == 5 + rescue.salvaged
    assert "cut off" in rescue.cause
    spool.close()
    spool, again = rescued(file)
    assert again is None
    assert (rescue.quarantines[0] / "done").exists()
    spool.close()


def test_what_was_stored_since_does_not_come_back(tmp_path, monkeypatch):
    file = tmp_path / "spool.db"
    ids = filled(file)
    damage(file)
    with monkeypatch.context() as patch:
        cut_off_after(5, patch, PulledPlug())
        with pytest.raises(PulledPlug):
            rescued(file)
    spool = Spool(file)
    for capture_id, outcome in zip(ids[:2], ("stored", "refused"), strict=True):
        spool.settle(
            Receipt(capture_id=capture_id, outcome=outcome, reason="why", at=datetime.now(UTC))
        )
    spool.close()
    spool, _ = rescued(file)
    held_now = {entry.capture_id: entry.state for entry in spool.entries()}
    assert ids[0] not in held_now
    assert held_now[ids[1]] == "refused"
    assert ids[-1] in held_now
    spool.close()


def test_a_disk_that_fills_up_midway_is_told_and_the_station_starts(tmp_path, monkeypatch):
    file = tmp_path / "spool.db"
    ids = filled(file)
    damage(file)
    with monkeypatch.context() as patch:
        cut_off_after(5, patch, SpoolFullError("the disk is full"))
        spool, rescue = rescued(file)
    assert rescue is not None
    assert "full" in rescue.unfinished
    assert spool.waiting(100) == ids[:5]
    spool.close()
    spool, rescue = rescued(file)
    assert rescue is not None
    assert not rescue.unfinished
    assert len(spool.waiting(100)) >= len(ids) - 3
    spool.close()


def test_a_disk_too_full_to_read_the_damaged_file_does_not_count_as_looked_through(
    tmp_path, monkeypatch
):
    file = tmp_path / "spool.db"
    ids = filled(file)
    damage(file)

    def full(_):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR_SHMSIZE
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("edge.spool.rescue._highest_id", full)
        spool, rescue = rescued(file)
    assert rescue is not None
    assert rescue.unfinished
    spool.close()
    spool, rescue = rescued(file)
    assert len(spool.waiting(100)) >= len(ids) - 3
    spool.close()


def test_a_plug_pulled_while_the_files_are_moved_costs_nothing(tmp_path, monkeypatch):
    """The database goes last: until then nobody begins a new one beside its log."""
    file = tmp_path / "spool.db"
    ids = filled(file)
    agent = Spool(file)
    late = frame(99)
    agent.save(late)  # in the log only
    damage(file)
    rename = Path.rename

    def pulled(path, target):
        if path == file:
            raise PulledPlug
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", pulled)
        with pytest.raises(PulledPlug):
            rescued(file)
    assert not file.with_name("spool.db-wal").exists()
    with pytest.raises(SpoolError, match="cut off: restart the agent"):
        open_spool(file)
    spool, rescue = rescued(file)
    assert rescue is not None
    assert late.capture_id in spool.waiting(100)
    assert len(spool.waiting(100)) >= len(ids) - 3 + 1
    agent.close()
    spool.close()


def test_an_empty_quarantine_folder_does_not_move_a_whole_spool(tmp_path):
    file = tmp_path / "spool.db"
    ids = filled(file)
    (tmp_path / "quarantine" / "20260101T000000Z-000000").mkdir(parents=True)
    spool, rescue = rescued(file)
    assert rescue is None
    assert spool.waiting(100) == ids
    spool.close()


def test_a_damaged_file_that_somebody_took_away_does_not_move_a_whole_spool(tmp_path):
    file = tmp_path / "spool.db"
    ids = filled(file)
    folder = tmp_path / "quarantine" / "20260101T000000Z-000000"
    folder.mkdir(parents=True)
    (folder / "mended.db").touch()  # a rescue began there
    spool, rescue = rescued(file)
    assert rescue is not None
    assert rescue.salvaged == 0
    assert spool.waiting(100) == ids
    spool.close()
