import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from frames import frame

from edge.spool import Spool, SpoolError, SpoolFullError, open_spool
from edge.spool.export import export_spool
from wire.codec import decode_frame, encode_frame
from wire.messages import Receipt


@pytest.fixture
def spool(tmp_path):
    opened = Spool(tmp_path / "spool.db")
    yield opened
    opened.close()


def receipt(outcome="stored", **fields):
    return Receipt(outcome=outcome, at=datetime.now(UTC), **fields)


def test_a_saved_frame_is_there_after_reopening(tmp_path):
    sent = frame()
    first = Spool(tmp_path / "spool.db")
    first.save(sent)
    first.close()
    second = Spool(tmp_path / "spool.db")
    assert second.waiting(10) == [sent.capture_id]
    assert decode_frame(second.payload(sent.capture_id)) == sent
    second.close()


def test_only_a_receipt_lets_a_frame_go(spool):
    sent = frame()
    spool.save(sent)
    assert spool.settle(receipt(capture_id=sent.capture_id)) == sent.capture_id
    assert spool.waiting(10) == []
    assert spool.status().stored == 1


def test_a_repeated_receipt_changes_nothing(spool):
    sent = frame()
    spool.save(sent)
    spool.settle(receipt(capture_id=sent.capture_id))
    assert spool.settle(receipt(capture_id=sent.capture_id)) is None
    assert spool.status().stored == 1


def test_a_refused_frame_is_kept_and_waits_again_after_retry(spool):
    sent = frame()
    spool.save(sent)
    spool.settle(
        receipt("refused", capture_id=sent.capture_id, reason="image-truncated", detail="why")
    )
    assert spool.waiting(10) == []
    assert spool.entries()[0].reason == "image-truncated"
    mark = spool.retry_mark()
    assert spool.retry() == 1
    assert spool.waiting(10) == [sent.capture_id]
    assert spool.retry_mark() != mark


def test_a_receipt_can_name_a_frame_by_its_payload(spool):
    from hashlib import sha256

    sent = frame()
    spool.save(sent)
    digest = sha256(encode_frame(sent)).hexdigest()
    assert spool.settle(receipt("refused", payload_sha256=digest)) == sent.capture_id


def test_frames_are_offered_oldest_first_and_no_more_than_asked(spool):
    sent = [frame(i) for i in range(5)]
    for one in sent:
        spool.save(one)
    assert spool.waiting(3) == [one.capture_id for one in sent[:3]]


def test_the_same_capture_is_not_saved_twice(spool):
    sent = frame()
    spool.save(sent)
    with pytest.raises(SpoolError, match="already"):
        spool.save(sent)


def test_a_disk_below_its_reserve_refuses_the_next_frame_and_keeps_the_others(tmp_path):
    spool = Spool(tmp_path / "spool.db")
    kept = frame(1)
    spool.save(kept)
    spool.close()
    spool = Spool(tmp_path / "spool.db", min_free_mb=10**9)
    with pytest.raises(SpoolFullError, match="reserve"):
        spool.save(frame(2))
    assert spool.waiting(10) == [kept.capture_id]
    spool.close()


def test_a_full_disk_refuses_the_frame_that_does_not_fit_and_loses_none(tmp_path):
    spool = Spool(tmp_path / "spool.db")
    spool._db.execute("PRAGMA max_page_count = 40")  # SQLite then says what a full disk says
    saved = []
    with pytest.raises(SpoolFullError, match="full"):
        for number in range(200):
            sent = frame(number)
            spool.save(sent)
            saved.append(sent.capture_id)
    assert saved
    assert spool.waiting(1000) == saved
    spool.settle(receipt(capture_id=saved[0]))
    spool.save(frame(999))  # the room that was given back is used
    spool.close()


def test_four_threads_save_and_settle_without_losing_one(spool):
    made = [[frame(i) for i in range(t * 10, t * 10 + 10)] for t in range(4)]

    def work(mine):
        for one in mine:
            spool.save(one)
        for one in mine[:5]:
            spool.settle(receipt(capture_id=one.capture_id))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(spool.waiting(100)) == {one.capture_id for mine in made for one in mine[5:]}


def test_what_was_saved_survives_kill_9(tmp_path):
    program = f"""
import os, sys
sys.path[:0] = {[p for p in sys.path if p]!r}
from pathlib import Path
from frames import frame
from edge.spool import Spool
spool = Spool(Path({str(tmp_path / "spool.db")!r}))
for n in range(20):
    sent = frame(n)
    spool.save(sent)
    print(sent.capture_id, flush=True)
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert ended.returncode == -9, ended.stderr
    spool = open_spool(tmp_path / "spool.db")
    assert spool.waiting(100) == ended.stdout.decode().split()
    spool.close()


def test_export_writes_message_image_and_what_is_known(spool, tmp_path):
    sent = frame()
    spool.save(sent)
    assert export_spool(spool, tmp_path / "stick") == 1
    assert (tmp_path / "stick" / f"{sent.capture_id}.jpg").read_bytes() == sent.image
    payload = (tmp_path / "stick" / f"{sent.capture_id}.frame").read_bytes()
    assert decode_frame(payload) == sent
    assert spool.waiting(10) == [sent.capture_id]


def test_frames_in_the_write_ahead_log_are_salvaged_too(tmp_path):
    file = tmp_path / "spool.db"
    spool = Spool(file)
    sent = frame()
    spool.save(sent)
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in tmp_path.glob("spool.db*"):
        (copy / path.name).write_bytes(path.read_bytes())
    spool.close()
    reopened = open_spool(copy / "spool.db")
    assert reopened.waiting(10) == [sent.capture_id]
    reopened.close()


def test_the_spool_file_is_readable_by_its_user_only(spool):
    assert spool.file.stat().st_mode & 0o077 == 0


def test_a_spool_in_an_impossible_place_says_where(tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(SpoolError, match="spool"):
        Spool(blocker / "spool.db")


def test_sqlite_here_knows_what_the_spool_asks_of_it():
    assert sqlite3.sqlite_version_info >= (3, 30)  # FILTER in aggregates
