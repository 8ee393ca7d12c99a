"""Remote commands at a whole station, over a real broker."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from barcodes import LabelledField
from brokers import mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from frames import frame
from rig import until
from structlog.testing import capture_logs

from edge.cameras.simulator import SimulatorCamera
from edge.commands.names import NAMES
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.station import open_station
from wire import topics

SLIDE = "s0123456789abcdef0123"
ANOTHER = "sffffffffffffffffffff"
CANARY = "KANARIENVOGEL"
"""Stands for a patient's name, in whatever place one could lie."""


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def cloud(broker):
    """The cloud's end, listening."""
    end = CloudEnd(broker.settings()).listen(topics.device(SITE, DEVICE, "frames"))
    yield end
    end.connection.stop()


@pytest.fixture
def settings(broker, tmp_path):
    return EdgeSettings(
        site=SITE,
        device=DEVICE,
        camera="simulator:7:ALL",
        stage="simulator",
        data_dir=tmp_path / CANARY / "station",
        broker=broker.settings(),
        min_free_mb=0,
        allow_commands=NAMES,
    )


@pytest.fixture
def station(settings):
    """A whole station, its simulated microscope in focus, its stage moved by hand."""
    with open_station(settings.model_copy(update={"stage": ""})) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        yield opened


def order(cloud, command, **arguments):
    """Give an order; its reply."""
    number = len(cloud.replies) + 1
    cloud.command(command, f"c-{number}", **arguments)
    until(lambda: len(cloud.replies) == number, 20, f"{number} replies")
    reply = cloud.replies[-1]
    assert reply.correlation_id == f"c-{number}"
    return reply


def test_a_ping_is_answered_with_the_station_s_version(station, cloud):
    reply = order(cloud, "ping")
    assert (reply.ok, reply.reason) == (True, "")
    assert reply.result["version"]


def test_a_slide_captured_from_afar_from_its_start_to_its_end(station, cloud):
    assert order(cloud, "capture").reason == "no-slide"
    assert order(cloud, "start-slide", slide=SLIDE).ok
    assert station.desk.state.slide == SLIDE
    one = order(cloud, "capture")
    sharpest = order(cloud, "burst", slide=SLIDE, count=3)
    for reply in (one, sharpest):
        assert reply.ok
        assert reply.result["slide"] == SLIDE
        assert reply.result["cells"] > 0
    until(lambda: len(cloud.frames) == 2, 10, "two frames")
    assert [(sent.capture_id, sent.slide) for sent in cloud.frames] == [
        (reply.result["capture_id"], SLIDE) for reply in (one, sharpest)
    ]
    assert {line.by for line in station.desk.state.lines} == {"remote"}
    assert order(cloud, "end-slide", slide=SLIDE).ok
    assert station.desk.state.slide is None
    assert order(cloud, "end-slide", slide=SLIDE).ok  # it is ended, whoever asked first
    cloud.receipt_all()
    until(lambda: station.spool.status().waiting == 0, 10, "they are let go")


def test_a_capture_opens_the_slide_that_it_names_when_none_is_open(station, cloud):
    assert order(cloud, "capture", slide=SLIDE).ok
    assert station.desk.state.slide == SLIDE


def test_the_slide_that_lies_under_the_lens_is_not_changed_from_afar(station, cloud):
    opened = station.desk.start_slide("24-001234", "page")
    for command in ("capture", "burst", "start-slide", "end-slide", "start-scan"):
        reply = order(cloud, command, slide=ANOTHER)
        assert (command, reply.reason) == (command, "another-slide")
    assert station.desk.state.slide == opened
    assert station.spool.status().waiting == 0
    assert order(cloud, "end-slide", slide=opened).reason == "slide-begun-here"
    assert order(cloud, "capture", slide=opened).result["slide"] == opened


def test_a_snapshot_is_a_small_picture_that_is_not_saved(station, cloud):
    reply = order(cloud, "snapshot")
    picture = cv2.imdecode(np.frombuffer(reply.image, np.uint8), cv2.IMREAD_COLOR)
    assert max(picture.shape) == 640
    assert station.spool.status().waiting == 0


def test_a_label_under_the_lens_travels_neither_as_snapshot_nor_as_capture(settings, cloud):
    camera = LabelledField(CANARY)
    with (
        capture_logs() as logs,
        open_station(settings.model_copy(update={"stage": ""}), camera=camera) as opened,
    ):
        until(lambda: opened.agent.connected, 10, "the broker")
        replies = [order(cloud, "snapshot"), order(cloud, "burst", slide=SLIDE, count=2)]
        assert opened.spool.status().waiting == 0
        camera.take_away()
        assert order(cloud, "capture", slide=SLIDE).ok
        until(lambda: len(cloud.frames) == 1, 10, "the frame without the label")
    for reply in replies:
        assert (reply.reason, reply.image) == ("label-in-view", None)
    own = str(settings.data_dir)
    assert CANARY not in str(logs).replace(own, "")
    for delivery in cloud.heard:
        assert CANARY.encode() not in delivery.payload, delivery.topic


def test_a_snapshot_is_made_to_fit_what_the_broker_carries(settings, cloud):
    small = settings.broker.model_copy(update={"max_payload_bytes": 20_000})
    narrow = settings.model_copy(update={"broker": small, "image_budget_bytes": 10_000})
    with open_station(narrow) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        assert len(opened.desk.snapshot()) > 12_000
        reply = order(cloud, "snapshot")
    assert 0 < len(reply.image) < 12_000
    assert len(cloud.on("replies")[-1].payload) < 20_000


def test_the_camera_is_set_and_what_it_cannot_do_is_refused(station, cloud):
    before = station.desk.look().brightness
    reply = order(cloud, "set-camera", exposure_us=5000)
    assert (reply.ok, reply.result) == (True, {"exposure_us": 5000})
    assert station.desk.look().brightness < 0.7 * before
    assert order(cloud, "set-camera", red_gain=1.5, blue_gain=2.0).reason == "camera-not-adjusted"


def test_without_a_stage_focus_and_scan_are_refused_with_a_reason(station, cloud):
    order(cloud, "start-slide", slide=SLIDE)
    assert order(cloud, "autofocus").reason == "no-stage"
    assert order(cloud, "start-scan").reason == "no-stage"
    assert order(cloud, "stop-scan").ok


def test_with_a_stage_the_slide_is_focused_and_scanned_until_somebody_says_stop(settings, cloud):
    unfocused = settings.scan.model_copy(update={"refocus_every": 0})
    with open_station(settings.model_copy(update={"scan": unfocused})) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        stage = opened.microscope.stage
        stage.move_to(replace(stage.place, z=2.0))
        found = order(cloud, "autofocus")
        assert found.ok
        assert abs(found.result["z_um"]) < 0.5
        assert order(cloud, "start-scan", slide=SLIDE, cells=1000).result["cells"] == 1000
        until(lambda: opened.spool.status().waiting >= 2, 30, "two fields")
        assert order(cloud, "capture").reason == "station-busy"
        assert order(cloud, "stop-scan").ok
        until(lambda: opened.desk.state.activity == "idle", 20, "it stops")
        assert {line.by for line in opened.desk.state.lines} == {"scan"}


def test_an_order_that_the_broker_delivers_twice_is_carried_out_once(station, cloud):
    order(cloud, "start-slide", slide=SLIDE)
    cloud.command("capture", "twice")
    cloud.command("capture", "twice")
    until(lambda: len(cloud.replies) == 2, 15, "its reply")
    cloud.command("capture", "twice")
    until(lambda: len(cloud.replies) == 3, 15, "and again")
    assert cloud.replies[1] == cloud.replies[2]
    assert station.spool.status().waiting == 1


def test_an_unknown_command_is_refused_and_told_what_there_is(station, cloud):
    reply = order(cloud, "reboot")
    assert (reply.ok, reply.reason) == (False, "unknown-command")
    assert "ping, snapshot" in reply.detail


def test_a_command_that_cannot_be_read_is_logged_and_the_next_one_obeyed(station, cloud):
    with capture_logs() as logs:
        cloud.say(topics.device(SITE, DEVICE, "commands"), b"no JSON")
        assert order(cloud, "ping").ok
    assert [log["reason"] for log in logs if log["event"] == "message_refused"] == [
        "message-unreadable"
    ]


def test_a_field_out_of_focus_is_refused_with_its_code_and_remedy(settings, cloud):
    with open_station(settings, camera=SimulatorCamera(7, defocus=3.0)) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        reply = order(cloud, "capture", slide=SLIDE)
    assert (reply.ok, reply.reason) == (False, "out-of-focus")
    assert "fine focus" in reply.detail


def test_a_full_disk_is_told_in_the_reply(settings, cloud):
    full = settings.model_copy(update={"min_free_mb": 10**9})
    with open_station(full) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        reply = order(cloud, "capture", slide=SLIDE)
    assert reply.reason == "disk-full"
    assert "free the disk" in reply.detail


def test_nothing_that_leaves_the_station_names_a_file_a_folder_or_a_patient(
    settings, cloud, tmp_path
):
    """Every word on the wire, of good and bad days, is looked through for a planted name."""
    damage(settings)
    folder = tmp_path / f"slides of {CANARY}"
    folder.mkdir()
    image = cv2.cvtColor(SimulatorCamera(7, "ALL").capture().image, cv2.COLOR_RGB2BGR)
    for number in (1, 3):
        cv2.imwrite(str(folder / f"{number} {CANARY}.png"), image)
    (folder / f"2 {CANARY}.png").write_bytes(b"broken")
    changes = {"camera": f"folder:{folder}", "stage": ""}
    with (
        capture_logs() as logs,
        open_station(settings.model_copy(update=changes)) as station,
    ):
        assert CANARY in str(station.rescue.quarantines)
        until(lambda: station.agent.connected, 10, "the broker")
        replies = [
            order(cloud, "capture", slide=SLIDE),
            order(cloud, "capture", slide=SLIDE),  # a broken file
            spool_away(station, cloud),
            order(cloud, "capture", slide=SLIDE),  # the folder's end
        ]
        until(lambda: bool(cloud.frames), 10, "the frame")
    until(lambda: cloud.statuses[-1].state == "offline", 10, "the goodbye")

    assert [(reply.ok, reply.reason) for reply in replies] == [
        (True, ""),
        (False, "camera-failed"),
        (False, "spool-failed"),
        (False, "camera-failed"),
    ]
    troubles = " ".join(status.trouble for status in cloud.statuses)
    assert "the spool was damaged: 0 frames salvaged, 0 not" in troubles
    assert "does not answer" in troubles
    for delivery in cloud.heard:
        assert CANARY.encode() not in delivery.payload, delivery.topic
        assert CANARY not in delivery.topic
    # The station's own folder may be named in its log: somebody has to find what was put aside.
    own = str(settings.data_dir)
    for log in logs:
        assert CANARY not in str(log).replace(own, ""), log


def damage(settings):
    """Leave a spool that is no database."""
    spool = Spool(settings.spool_file)
    spool.save(frame())
    spool.close()
    settings.spool_file.write_bytes(b"no database" * 1000)


def spool_away(station, cloud):
    """Take the disk away under the spool and ask for another capture; its reply."""
    disk = station.spool.file
    station.spool.file = disk.parent / "unplugged" / disk.name
    reply = order(cloud, "capture", slide=SLIDE)
    station.agent._status_due = 0.0
    until(lambda: "does not answer" in cloud.statuses[-1].trouble, 10, "the trouble is told")
    station.spool.file = disk
    return reply
