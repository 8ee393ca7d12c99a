"""A disk without a free byte: the spool refuses the next frame, and can still be emptied."""

from datetime import UTC, datetime

import pytest
from frames import frame
from small_disk import fill_up, tmpfs

from edge.spool import Spool, SpoolFullError
from edge.spool.ballast import BALLAST_BYTES, Ballast
from wire.messages import Receipt


@pytest.fixture
def disk(tmp_path):
    with tmpfs(tmp_path / "disk", megabytes=12) as folder:
        yield folder


def receipt(capture_id, **refusal):
    values = {"outcome": "refused" if refusal else "stored", "at": datetime.now(UTC)}
    return Receipt(capture_id=capture_id, **(values | refusal))


def saved_until_full(spool):
    saved = []
    with pytest.raises(SpoolFullError, match="full"):
        for number in range(2000):
            one = frame(number % 7, image=bytes(100_000 + number))
            spool.save(one)
            saved.append(one.capture_id)
    assert len(saved) > 5
    return saved


def test_a_full_disk_is_emptied_by_its_receipts_and_takes_frames_again(disk):
    spool = Spool(disk / "spool.db")
    saved = saved_until_full(spool)
    fill_up(disk)
    assert spool.waiting(9999) == saved
    for capture_id in saved:
        assert spool.settle(receipt(capture_id)) == capture_id
    assert spool.status().waiting == 0
    spool.close()


def test_a_refusal_too_is_noted_on_a_full_disk_and_survives_a_restart(disk):
    spool = Spool(disk / "spool.db")
    saved = saved_until_full(spool)
    fill_up(disk)
    spool.settle(receipt(saved[0], reason="image-truncated", detail="Too short."))
    spool.close()
    again = Spool(disk / "spool.db")
    assert again.status().refused == 1
    assert again.waiting(9999) == saved[1:]
    again.close()


def test_while_the_ballast_is_overboard_no_frame_takes_the_room_that_receipts_need(disk):
    spool = Spool(disk / "spool.db")
    saved = saved_until_full(spool)
    filler = fill_up(disk)
    spool.settle(receipt(saved[0]))
    fill_up(disk)  # the other program takes what the ballast left
    with pytest.raises(SpoolFullError, match="full"):
        spool.save(frame(1))
    filler.unlink()
    spool.save(frame(2))
    assert (disk / "spool.ballast").stat().st_size == BALLAST_BYTES
    spool.close()


def test_room_of_frames_that_are_gone_is_given_back_for_the_ballast(disk):
    spool = Spool(disk / "spool.db")
    for _ in range(2):
        saved = saved_until_full(spool)
        for capture_id in saved:
            spool.settle(receipt(capture_id))
    spool.save(frame(1))
    assert (disk / "spool.ballast").exists()
    spool.close()


def test_a_station_starts_on_a_disk_that_is_full_and_has_old_endings_to_forget(disk):
    spool = Spool(disk / "spool.db")
    saved = saved_until_full(spool)
    spool.settle(receipt(saved[0]))
    with spool._db:
        spool._db.execute("UPDATE ended SET at = 0")
    spool.close()
    fill_up(disk)
    again = Spool(disk / "spool.db")
    assert again.waiting(9999) == saved[1:]
    again.close()


def test_a_ballast_takes_its_room_once_and_gives_it_back(tmp_path):
    ballast = Ballast(tmp_path / "spool.ballast", 70_000)
    assert not ballast.release()
    assert ballast.hold()
    assert ballast.hold()
    found = (tmp_path / "spool.ballast").stat()
    assert found.st_size == 70_000
    assert found.st_blocks * 512 >= 70_000
    assert found.st_mode & 0o077 == 0
    assert ballast.release()
    assert not (tmp_path / "spool.ballast").exists()


def test_without_a_folder_there_is_no_ballast(tmp_path):
    assert not Ballast(tmp_path / "absent" / "spool.ballast").hold()
