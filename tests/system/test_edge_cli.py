import json
import time
from contextlib import contextmanager

import pytest
from cloud_end import CloudEnd
from edge_program import edge, settings_file, start_edge
from rig import until

from edge.spool import Spool
from wire.codec import decode
from wire.messages import FrameResult

pytestmark = pytest.mark.system

ACCESSION = "H2026-0471133"


@pytest.fixture
def config(rig, tmp_path):
    """Settings file of a station at the rig's broker."""
    return str(settings_file(tmp_path, rig.edge_settings(camera="simulator:7:ALL")))


@pytest.fixture
def listener(rig):
    """Hears everything that the station and the worker say."""
    end = CloudEnd(rig.edge_settings().broker).start()
    yield end
    end.connection.stop()


@contextmanager
def running(tmp_path, config, **settings):
    """An agent as a child process; killed if it was not stopped."""
    process = start_edge(tmp_path / "run.log", "run", "--config", config, **settings)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def capture(config, *arguments):
    ended = edge("capture", "--slide", ACCESSION, "--json", "--config", config, *arguments)
    return ended.returncode, json.loads(ended.stdout)["captures"]


@pytest.fixture
def spool(rig):
    opened = Spool(rig.edge_settings().spool_file)
    yield opened
    opened.close()


def result_ids(rig):
    return sorted(key.rpartition("/")[2].removesuffix(".json") for key in rig.keys("results/"))


def test_capture_ends_with_0_when_every_field_is_stored(rig, config, listener, spool):
    code, lines = capture(config, "--count", "3")
    assert (code, [line["state"] for line in lines]) == (0, ["stored"] * 3)
    assert result_ids(rig) == sorted(line["capture_id"] for line in lines)
    assert spool.status().waiting == 0
    for key in rig.keys("results/"):
        result = decode(rig.read(key), FrameResult)
        assert rig.read(result.image_key)
    assert len(listener.heard) > 6  # frames, receipts, results, status
    for delivery in listener.heard:
        assert ACCESSION.encode() not in delivery.payload
        assert ACCESSION not in delivery.topic


def test_what_was_captured_without_a_broker_is_sent_by_run_even_without_a_camera(
    rig, config, spool, tmp_path
):
    rig.kill(rig.broker)
    code, lines = capture(config, "--count", "2", "--wait", "1")
    assert (code, [line["state"] for line in lines]) == (4, ["saved"] * 2)
    held = json.loads(edge("spool", "status", "--json", "--config", config).stdout)
    assert held["waiting"] == spool.status().waiting == 2
    assert result_ids(rig) == []
    rig.broker = rig._start_broker(rig.home, rig.children)
    with running(tmp_path, config, camera=f"folder:{tmp_path / 'unplugged'}"):
        until(lambda: spool.status().waiting == 0, 60, "the spool is empty")
    assert result_ids(rig) == sorted(line["capture_id"] for line in lines)


def test_a_capture_while_run_is_active_is_sent_by_it_and_sigterm_ends_it_with_a_goodbye(
    rig, config, tmp_path, listener
):
    with running(tmp_path, config) as agent:
        until(lambda: bool(listener.statuses), 30, "the agent is online")
        code, lines = capture(config, "--count", "2")
        assert (code, [line["state"] for line in lines]) == (0, ["stored"] * 2)
        sent = [frame.capture_id for frame in listener.frames]
        assert sorted(set(sent)) == result_ids(rig) == sorted(line["capture_id"] for line in lines)
        log = (tmp_path / "run.log").read_text()
        settled = [json.loads(line) for line in log.splitlines() if "frame_settled" in line]
        assert sorted(one["capture_id"] for one in settled) == sorted(set(sent))
        agent.terminate()
        asked = time.monotonic()
        assert agent.wait(15) == 0
        assert time.monotonic() - asked < 10
    until(lambda: listener.statuses[-1].state == "offline", 10, "the goodbye")
    assert "Traceback" not in (tmp_path / "run.log").read_text()
