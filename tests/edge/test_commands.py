import cv2
import pytest
from brokers import mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from frames import frame
from rig import until
from structlog.testing import capture_logs

from edge.cameras.simulator import SimulatorCamera
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.station import open_station
from wire import topics

SLIDE = "s0123456789abcdef0123"
CANARY = "KANARIENVOGEL"
"""Stands for a patient's name, in whatever place one could lie."""


@pytest.fixture
def broker(tmp_path):
    with mosquitto(tmp_path / "broker") as running:
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
        data_dir=tmp_path / CANARY / "station",
        broker=broker.settings(),
        min_free_mb=0,
    )


@pytest.fixture
def station(settings):
    """A whole station, its simulated microscope in focus."""
    with open_station(settings, camera=SimulatorCamera(7, "ALL")) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        yield opened


def replied(cloud, number=1):
    until(lambda: len(cloud.replies) == number, 15, f"{number} replies")
    return cloud.replies[-1]


def test_a_ping_is_answered_with_its_correlation_id(station, cloud):
    cloud.command("ping", "abc")
    reply = replied(cloud)
    assert (reply.correlation_id, reply.ok, reply.reason) == ("abc", True, "")


def test_a_capture_is_saved_sent_and_named_in_the_reply(station, cloud):
    cloud.command("capture", "c-7", slide=SLIDE)
    reply = replied(cloud)
    assert (reply.correlation_id, reply.ok) == ("c-7", True)
    capture_id = reply.result["capture_id"]
    until(lambda: len(cloud.frames) == 1, 10, "the frame")
    (sent,) = cloud.frames
    assert (sent.capture_id, sent.slide) == (capture_id, SLIDE)
    cloud.receipt(capture_id)
    until(lambda: station.spool.status().waiting == 0, 10, "it is let go")


def test_an_unknown_command_is_refused_and_told_what_there_is(station, cloud):
    cloud.command("reboot")
    reply = replied(cloud)
    assert (reply.ok, reply.reason) == (False, "unknown-command")
    assert "'reboot'" in reply.detail
    assert "ping, capture" in reply.detail


@pytest.mark.parametrize("arguments", [{}, {"slide": "a/b"}, {"slide": ""}, {"slide": "frames"}])
def test_a_capture_without_a_usable_slide_is_refused(station, cloud, arguments):
    cloud.command("capture", **arguments)
    assert replied(cloud).reason == "slide-invalid"
    assert station.spool.status().waiting == 0


def test_a_command_that_cannot_be_read_is_logged_and_the_next_one_obeyed(station, cloud):
    with capture_logs() as logs:
        cloud.say(topics.device(SITE, DEVICE, "commands"), b"no JSON")
        cloud.command("ping")
        assert replied(cloud).ok
    assert [log["reason"] for log in logs if log["event"] == "message_refused"] == [
        "message-unreadable"
    ]


def test_a_field_out_of_focus_is_refused_with_its_code_and_remedy(settings, cloud):
    with open_station(settings, camera=SimulatorCamera(7, defocus=3.0)) as station:
        until(lambda: station.agent.connected, 10, "the broker")
        cloud.command("capture", slide=SLIDE)
        reply = replied(cloud)
    assert (reply.ok, reply.reason) == (False, "out-of-focus")
    assert "fine focus" in reply.detail


def test_a_full_disk_is_told_in_the_reply(settings, cloud):
    full = settings.model_copy(update={"min_free_mb": 10**9})
    with open_station(full, camera=SimulatorCamera(7)) as station:
        until(lambda: station.agent.connected, 10, "the broker")
        cloud.command("capture", slide=SLIDE)
        reply = replied(cloud)
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
    cv2.imwrite(str(folder / f"1 {CANARY}.png"), image)
    (folder / f"2 {CANARY}.png").write_bytes(b"broken")
    with (
        capture_logs() as logs,
        open_station(settings.model_copy(update={"camera": f"folder:{folder}"})) as station,
    ):
        assert CANARY in str(station.rescue.quarantine)
        until(lambda: station.agent.connected, 10, "the broker")
        for number in (1, 2, 3):  # a good picture, a broken file, the folder's end
            cloud.command("capture", slide=SLIDE)
            replied(cloud, number)
        until(lambda: bool(cloud.frames), 10, "the frame")
        spool_away(station, cloud)
    until(lambda: cloud.statuses[-1].state == "offline", 10, "the goodbye")

    assert [(reply.ok, reply.reason) for reply in cloud.replies] == [
        (True, ""),
        (False, "camera-failed"),
        (False, "camera-failed"),
        (False, "spool-failed"),
    ]
    troubles = " ".join(status.trouble for status in cloud.statuses)
    assert "the spool was damaged: 0 frames salvaged, 0 not" in troubles
    assert "does not answer" in troubles
    for delivery in cloud.heard:
        assert CANARY.encode() not in delivery.payload, delivery.topic
        assert CANARY not in delivery.topic
    # The station's own log may name the broken file and the quarantine: somebody has to find them.
    named = {log["event"] for log in logs if CANARY in str(log)}
    assert named == {"capture_refused", "spool_damaged", "spool_unreadable", "trouble"}


def damage(settings):
    """Leave a spool that is no database."""
    spool = Spool(settings.spool_file)
    spool.save(frame())
    spool.close()
    settings.spool_file.write_bytes(b"no database" * 1000)


def spool_away(station, cloud):
    """Take the disk away under the spool and ask for another capture."""
    capturer, disk = station.capturer, station.spool.file
    capturer._camera = SimulatorCamera(7)
    station.spool.file = disk.parent / "unplugged" / disk.name
    cloud.command("capture", slide=SLIDE)
    replied(cloud, 4)
    station.agent._status_due = 0.0
    until(lambda: "does not answer" in cloud.statuses[-1].trouble, 10, "the trouble is told")
    station.spool.file = disk
