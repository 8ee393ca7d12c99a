"""Whoever stops a scan stops it, however shortly after it was begun."""

import threading
from contextlib import contextmanager

import pytest
from desks import desk_at, desk_settings
from rig import until

SLIDE = "s0123456789abcdef0123"


@pytest.fixture
def desk(tmp_path):
    fields = {"area_um": (147.0, 73.0), "refocus_every": 0}
    with desk_at(desk_settings(tmp_path / "station", scan=fields), stage=True) as opened:
        opened.start_token(SLIDE, "page")
        yield opened


@contextmanager
def a_scan_just_beginning(desk, monkeypatch):
    """The page shows it as begun, and its thread is not there yet until the block ends."""
    scanner = desk._scanner
    noting, go_on = threading.Event(), threading.Event()
    progress = scanner._progress

    def slow(*asked, **how):
        noting.set()
        assert go_on.wait(10)
        return progress(*asked, **how)

    monkeypatch.setattr(scanner, "_progress", slow)
    start = threading.Thread(target=desk.start_scan, args=("page", 0))
    start.start()
    assert noting.wait(10)
    assert desk._once.activity == "scanning"
    try:
        yield
    finally:
        go_on.set()
        start.join(10)


def meanwhile(act):
    thread = threading.Thread(target=act)
    thread.start()
    thread.join(0.2)  # long enough for it to have stopped what is not there yet
    return thread


def test_a_stop_given_just_after_a_scan_begins_is_not_lost(desk, monkeypatch):
    with a_scan_just_beginning(desk, monkeypatch):
        stop = meanwhile(lambda: desk.stop_scan("button"))
    stop.join(10)
    until(lambda: desk._once.activity == "idle", 30, "the scan has ended")
    assert desk.state.scan.fields < 6
    assert not desk.state.scan.finished


def test_closing_the_desk_stops_a_scan_that_is_just_beginning(desk, monkeypatch):
    with a_scan_just_beginning(desk, monkeypatch):
        close = meanwhile(desk.close)
    close.join(20)
    assert not close.is_alive()
    assert desk._once.activity == "idle"  # it waited for the field at hand
    assert len(desk.spool.waiting(20)) < 6


def test_a_scan_begun_on_a_closed_desk_takes_no_field(desk):
    desk.close()
    desk.start_scan("remote", 0)
    until(lambda: desk._once.activity == "idle", 30, "the scan has ended")
    assert desk.state.scan.fields == 0
    assert desk.spool.waiting(20) == []
