"""`leukoscope-edge run`: everything that is there works, and what is missing is said once."""

import json
import signal
import socket
import sys
import urllib.request
from contextlib import contextmanager

import pytest
from edge_program import start_edge
from rig import until

from edge.memory import return_large_blocks


@contextmanager
def running(folder, **settings):
    """A station without a broker; gives what it has said so far, as events."""
    given = {
        "site": "home",
        "device": "scope-1",
        "camera": "simulator:7:ALL",
        "data_dir": folder / "station",
        "min_free_mb": 0,
        "broker__port": 1,
    } | settings
    log = folder / "log"
    process = start_edge(log, "run", **given)

    def events():
        return [json.loads(line) for line in log.read_text().splitlines()]

    try:
        yield process, events
    finally:
        process.kill()
        process.wait()


def said(events, name):
    return [event for event in events() if event["event"] == name]


def test_it_serves_the_page_and_ends_at_sigterm(tmp_path):
    with running(tmp_path, stage="simulator") as (process, events):
        until(lambda: said(events, "page_open"), 60, "the page")
        (page,) = said(events, "page_open")
        with urllib.request.urlopen(f"{page['address']}/api/state", timeout=30) as answer:  # noqa: S310  # our own URL
            state = json.load(answer)
        assert state["can"] == {"stage": True, "gpio": False, "glass": True}
        assert not state["broker"]
        assert len(said(events, "no_panel")) == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        assert "Traceback" not in str(events())


def test_it_goes_on_without_page_and_stage_and_says_so_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        gone = {"page__port": port, "stage": "serial:/dev/no-such-stage"}
        with running(tmp_path, **gone) as (process, events):
            until(lambda: said(events, "broker_away"), 60, "it has begun")
            until(lambda: len(said(events, "trouble")) == 2, 60, "what is missing")
            about = {event["about"]: event for event in said(events, "trouble")}
            assert set(about) == {"stage-failed", "page-failed"}
            assert str(port) in about["page-failed"]["cause"]
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's mallopt")
def test_the_memory_of_large_pictures_is_given_back():
    assert return_large_blocks()
