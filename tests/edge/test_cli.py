import json
import re
import signal
import time
from pathlib import Path

import cv2
import pytest
from brokers import free_port, mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from edge_program import edge, start_edge
from frames import frame
from processes import linux_only
from rig import until

from edge.cameras.simulator import SimulatorCamera
from edge.spool import Spool
from wire import topics
from wire.codec import decode_frame
from wire.messages import Receipt

ACCESSION = "H2026-0471133"
"""A number on a slide: it must not leave the station, nor stay in its log."""


@pytest.fixture
def station(tmp_path):
    """Settings of a station whose broker does not answer."""
    return {
        "site": SITE,
        "device": DEVICE,
        "data_dir": tmp_path / "station",
        "broker__port": free_port(),
        "min_free_mb": 0,
    }


@pytest.fixture
def cloud(tmp_path, station):
    """The cloud's end at a broker that does answer; changes the station's settings to it."""
    with mosquitto(tmp_path / "broker") as broker:
        station["broker__port"] = broker.port
        end = CloudEnd(broker.settings()).listen(topics.device(SITE, DEVICE, "frames"))
        yield end
        end.connection.stop()


@pytest.fixture(scope="module")
def field():
    """A good field, blue, green, red as OpenCV writes it."""
    return cv2.cvtColor(SimulatorCamera(7, "ALL").capture().image, cv2.COLOR_RGB2BGR)


@pytest.fixture
def spool(station):
    opened = Spool(station["data_dir"] / "spool.db")
    yield opened
    opened.close()


def refuse(spool, one):
    spool.settle(
        Receipt(
            capture_id=one.capture_id,
            outcome="refused",
            reason="image-truncated",
            detail="The image ends too early [/b].",
            at=one.captured_at,
        )
    )


@pytest.mark.parametrize("command", [["run"], ["capture", "--slide", "A-1"], ["spool", "status"]])
def test_without_settings_it_ends_with_2_and_names_them(command):
    ended = edge(*command)
    assert ended.returncode == 2
    assert "LEUKOSCOPE_EDGE_SITE" in ended.stderr
    assert "LEUKOSCOPE_EDGE_DEVICE" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"colour": "red"}, 2, "LEUKOSCOPE_EDGE_COLOUR"),
        ({"broker__ca_file": "/absent.pem"}, 2, "/absent.pem"),
        ({"camera": "folder:/absent[b]"}, 1, "/absent[b]"),
        ({"data_dir": "/proc/nowhere"}, 1, "/proc/nowhere"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence_and_no_traceback(station, changes, code, named):
    ended = edge("capture", "--slide", "A-1", **(station | changes))
    assert ended.returncode == code
    assert named in ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_empty_slide_number_is_wrong_usage(station):
    ended = edge("capture", "--slide", "  ", **station)
    assert ended.returncode == 2
    assert "empty" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_help_teaches_and_tells_the_exit_codes():
    ended = edge("--help")
    assert ended.returncode == 0
    said = " ".join(ended.stdout.split())
    for words in ("LEUKOSCOPE_EDGE_CONFIG", "Research use only", "4 saved but not yet stored"):
        assert words in said
    assert "only a token of it leaves the station" in " ".join(
        edge("capture", "--help").stdout.replace("│", " ").split()
    )


def test_a_capture_that_is_receipted_ends_with_0(station, cloud):
    process = start_edge(
        station["data_dir"].parent / "log", "capture", "--slide", ACCESSION, "--json", **station
    )
    try:
        until(lambda: len(cloud.frames) == 1, 30, "the frame")
        cloud.receipt_all()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    said = (station["data_dir"].parent / "log").read_text()
    report = json.loads(said)
    (line,) = report["captures"]
    assert (line["state"], line["capture_id"]) == ("stored", cloud.frames[0].capture_id)
    assert report["slide"] == cloud.frames[0].slide
    assert "esearch use only" in report["notice"]
    for delivery in cloud.heard:
        assert ACCESSION.encode() not in delivery.payload
    assert ACCESSION not in said
    for file in station["data_dir"].rglob("*"):
        assert ACCESSION.encode() not in file.read_bytes(), file


def test_a_capture_without_a_broker_ends_with_4_and_waits_in_the_spool(station):
    ended = edge("capture", "--slide", "A-1", "--count", "2", "--wait", "1", "--json", **station)
    assert ended.returncode == 4
    captures = json.loads(ended.stdout)["captures"]
    assert [line["state"] for line in captures] == ["saved", "saved"]
    held = json.loads(edge("spool", "status", "--json", **station).stdout)
    assert (held["waiting"], held["refused"]) == (2, 0)
    assert [entry["capture_id"] for entry in held["frames"]] == [
        line["capture_id"] for line in captures
    ]


def test_a_refused_capture_ends_with_3_and_says_why(station, field, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    cv2.imwrite(str(folder / "1.png"), cv2.GaussianBlur(field, (0, 0), 12))
    cv2.imwrite(str(folder / "2.png"), field)
    (folder / "3 Doe.png").write_bytes(b"broken")
    station["camera"] = f"folder:{folder}"
    arguments = ["capture", "--slide", "A-1", "--count", "9", "--wait", "0"]
    ended = edge(*arguments, "--json", **station)
    assert ended.returncode == 3
    lines = json.loads(ended.stdout)["captures"]
    assert [line["state"] for line in lines] == ["refused", "saved", "refused"]
    assert "fine focus" in lines[0]["detail"]
    assert "file 3 of the folder" in lines[2]["detail"]
    for_people = edge(*arguments, **station)
    assert for_people.returncode == 3
    assert "image-format" in for_people.stdout
    for said in (ended.stdout, ended.stderr, for_people.stdout, for_people.stderr):
        assert "Doe" not in said
        assert "Traceback" not in said


def test_spool_retry_makes_refused_frames_wait_again(station, spool):
    sent = frame()
    spool.save(sent)
    refuse(spool, sent)
    shown = edge("spool", "status", **station)
    assert shown.returncode == 0
    assert "0 waiting, 1 refused" in shown.stdout
    assert "[/b]" in shown.stdout
    ended = edge("spool", "retry", "--json", **station)
    assert (ended.returncode, json.loads(ended.stdout)) == (0, {"waiting": 1})
    assert spool.waiting(9) == [sent.capture_id]


def test_spool_export_writes_every_frame_and_the_spool_keeps_them(station, spool, tmp_path):
    sent = [frame(number) for number in range(3)]
    for one in sent:
        spool.save(one)
    refuse(spool, sent[0])
    stick = tmp_path / "stick"
    ended = edge("spool", "export", str(stick), "--json", **station)
    assert ended.returncode == 0
    assert json.loads(ended.stdout) == {"exported": 3, "folder": str(stick)}
    for one in sent:
        assert decode_frame((stick / f"{one.capture_id}.frame").read_bytes()) == one
        assert (stick / f"{one.capture_id}.jpg").read_bytes() == one.image
    known = json.loads((stick / f"{sent[0].capture_id}.json").read_text())
    assert (known["state"], known["reason"]) == ("refused", "image-truncated")
    assert spool.status().waiting == 2


def test_a_damaged_spool_is_said_and_rescued_when_the_agent_starts(station, spool, tmp_path):
    for number in range(20):
        spool.save(frame(number))
    spool.close()
    file = station["data_dir"] / "spool.db"
    data = bytearray(file.read_bytes())
    data[:4096] = b"\0" * 4096
    file.write_bytes(data)
    ended = edge("spool", "status", "--json", **station)
    assert ended.returncode == 1
    assert "restart the agent, which rescues it" in " ".join(ended.stderr.split())
    assert file.read_bytes() == bytes(data)
    log = tmp_path / "log"
    agent = start_edge(log, "run", camera="simulator:7:ALL", **station)
    try:
        until(lambda: "20 frames salvaged, 0 not" in log.read_text(), 60, "it is rescued and told")
    finally:
        agent.terminate()
        agent.wait(20)
    ended = edge("spool", "status", "--json", **station)
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["waiting"] == 20


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_run_sends_what_waits_and_ends_cleanly_with_a_goodbye(
    station, spool, cloud, tmp_path, number
):
    sent = frame()
    spool.save(sent)
    process = start_edge(tmp_path / "log", "run", **station)
    try:
        until(lambda: cloud.frames == [sent], 30, "the frame")
        cloud.receipt_all()
        until(lambda: spool.status().waiting == 0, 10, "it is let go")
        cloud.command("ping")
        until(lambda: bool(cloud.replies), 10, "the reply")
        process.send_signal(number)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    until(lambda: cloud.statuses[-1].state == "offline", 10, "the goodbye")
    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    events = [json.loads(line)["event"] for line in said.splitlines()]
    assert {"broker_connected", "page_open"} <= set(events)
    assert "broker_away" not in events


@linux_only
def test_a_second_run_on_the_same_spool_waits_its_turn_and_can_be_stopped_meanwhile(
    station, cloud, tmp_path
):
    running = []

    def run():
        process = start_edge(tmp_path / "log", "run", **station)
        running.append(process)
        until(lambda: catches(process.pid, signal.SIGTERM), 30, "it has begun")
        return process

    try:
        first = run()
        until(lambda: bool(cloud.statuses), 30, "the first one is online")
        second = run()
        time.sleep(1)
        assert second.poll() is None  # it waits
        first.terminate()
        assert first.wait(10) == 0
        until(lambda: cloud.statuses[-1].state == "online", 15, "the second one has taken over")
        third = run()
        third.terminate()
        assert third.wait(10) == 0  # and need not wait a minute to be stopped
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert "Traceback" not in (tmp_path / "log").read_text()


def catches(pid, number):
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)[1], 16)
    return bool(caught >> (number - 1) & 1)
