import subprocess
import sys
import time

import pytest
from brokers import clients, mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from frames import frame
from rig import until
from structlog.testing import capture_logs

from edge.agent import Agent, Hooks
from edge.settings import EdgeSettings
from edge.spool import Spool
from wire import topics
from wire.codec import decode
from wire.messages import DeviceStatus

STATUS = topics.device(SITE, DEVICE, "status")


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
def station(broker, tmp_path):
    """Settings whose agent is quick to send again, but not within a slow machine's second."""
    return EdgeSettings(
        site=SITE,
        device=DEVICE,
        data_dir=tmp_path / "station",
        broker=broker.settings(),
        resend_after_s=30,
        min_free_mb=0,
    )


@pytest.fixture
def spool(station):
    opened = Spool(station.spool_file)
    yield opened
    opened.close()


@pytest.fixture
def agent(station, spool):
    """Makes and starts agents on the spool, and stops them all."""
    started = []

    def start(**changes):
        options = {key: changes.pop(key) for key in ("hooks", "obey") if key in changes}
        settings = station.model_copy(update=changes)
        one = Agent(settings, spool, camera_name="test", **options)
        one.start()
        started.append(one)
        return one

    yield start
    for one in started:
        one.stop()


def saved(spool, count=1):
    """Save frames; returns them."""
    frames = [frame(number) for number in range(count)]
    for one in frames:
        spool.save(one)
    return frames


def test_what_the_spool_holds_is_sent_and_a_receipt_lets_it_go(cloud, spool, agent):
    sent = saved(spool, 3)
    agent()
    until(lambda: len(cloud.frames) == 3, 10, "three frames")
    assert cloud.frames == sent
    assert spool.status().waiting == 3  # the broker has them; that is not enough
    cloud.receipt(sent[1].capture_id)
    until(lambda: spool.status().waiting == 2, 10, "one is let go")
    assert spool.waiting(9) == [sent[0].capture_id, sent[2].capture_id]
    cloud.receipt_all()
    until(lambda: spool.status().waiting == 0, 10, "all are let go")
    assert spool.status().stored == 3


def test_a_frame_is_sent_soon_after_it_was_saved_and_at_once_when_the_agent_is_woken(
    cloud, spool, agent
):
    one = agent()
    until(lambda: one.connected, 10, "connected")
    saved(spool)
    until(lambda: len(cloud.frames) == 1, 5, "seen by itself")
    for number in range(10):
        spool.save(frame(number))
        one.wake()
    until(lambda: len(cloud.frames) == 11, 5, "woken")


def test_no_more_frames_are_under_way_than_the_window_allows(cloud, spool, agent):
    sent = saved(spool, 7)
    agent(window=3)
    until(lambda: len(cloud.frames) == 3, 10, "a window full")
    time.sleep(1)  # two looks
    assert [one.capture_id for one in cloud.frames] == [one.capture_id for one in sent[:3]]
    cloud.receipt(sent[0].capture_id)
    until(lambda: len(cloud.frames) == 4, 10, "the next one")
    assert cloud.frames[3].capture_id == sent[3].capture_id


def test_a_refused_frame_is_kept_with_its_reason_and_shows_in_the_status(cloud, spool, agent):
    (sent,) = saved(spool)
    agent()
    until(lambda: len(cloud.frames) == 1, 10, "the frame")
    cloud.receipt(sent.capture_id, reason="image-truncated", detail="The image ends too early.")
    until(lambda: spool.status().refused == 1, 10, "it is marked")
    (entry,) = spool.entries()
    assert (entry.reason, entry.detail) == ("image-truncated", "The image ends too early.")
    assert spool.ending(sent.capture_id) == ("refused", "The image ends too early.")
    until(lambda: cloud.statuses[-1].spool_refused == 1, 10, "the status says so")
    assert cloud.statuses[-1].trouble == (
        f"capture {sent.capture_id} was refused (image-truncated): The image ends too early."
    )


def test_after_a_retry_by_another_process_it_is_sent_again_and_the_trouble_is_over(
    cloud, station, spool, agent
):
    (sent,) = saved(spool)
    agent(status_every_s=0.2)
    until(lambda: len(cloud.frames) == 1, 10, "the frame")
    cloud.receipt(sent.capture_id, reason="worker-fault", detail="Again.")
    until(lambda: spool.status().refused == 1, 10, "it is refused")
    assert retry_elsewhere(station) == "1"
    until(lambda: len(cloud.frames) == 2, 10, "it is sent again")
    assert spool.ending(sent.capture_id) is None
    cloud.receipt(sent.capture_id)
    until(lambda: spool.status().waiting == 0, 10, "it is let go")
    until(lambda: cloud.statuses[-1].spool_waiting == 0, 10, "a new status")
    assert cloud.statuses[-1].trouble == ""


def test_a_retry_by_another_process_sends_what_still_waits_for_its_receipt(
    cloud, station, spool, agent
):
    saved(spool, 2)
    agent()
    until(lambda: len(cloud.frames) == 2, 10, "both")
    assert retry_elsewhere(station) == "2"
    until(lambda: len(cloud.frames) == 4, 10, "both again")


def retry_elsewhere(station):
    program = (
        "import sys; from pathlib import Path; from edge.spool import Spool\n"
        "print(Spool(Path(sys.argv[1])).retry())"
    )
    command = [sys.executable, "-c", program, str(station.spool_file)]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return ended.stdout.strip()


def test_without_a_receipt_it_is_sent_again_and_then_less_and_less_often(cloud, spool, agent):
    (sent,) = saved(spool)
    times = []
    agent(
        resend_after_s=0.6,
        resend_max_s=100,
        hooks=Hooks(sent=lambda _id, number: times.append((number, time.monotonic()))),
    )
    until(lambda: len(times) == 3, 15, "three times")
    assert [number for number, _ in times] == [1, 2, 3]
    first, second = (times[n + 1][1] - times[n][1] for n in range(2))
    assert 0.6 <= first < second
    assert second >= 1.2
    cloud.receipt(sent.capture_id)
    until(lambda: spool.status().waiting == 0, 10, "it is let go")
    until(lambda: len(cloud.frames) == 3, 10, "the broker delivers all three")


def test_a_receipt_that_comes_twice_and_one_for_a_stranger_change_nothing(cloud, spool, agent):
    settled = []
    (sent,) = saved(spool)
    agent(hooks=Hooks(settled=settled.append))
    until(lambda: len(cloud.frames) == 1, 10, "the frame")
    cloud.receipt(frame(9).capture_id)
    cloud.receipt(sent.capture_id)
    cloud.receipt(sent.capture_id)
    cloud.command("ping")
    until(lambda: bool(cloud.replies), 10, "all receipts were handled")
    assert [receipt.capture_id for receipt in settled] == [sent.capture_id]
    assert spool.status().stored == 1


def test_an_unreadable_receipt_is_logged_and_survived(cloud, spool, agent):
    (sent,) = saved(spool)
    topic = topics.device(SITE, DEVICE, "receipts")
    with capture_logs() as logs:
        agent()
        until(lambda: len(cloud.frames) == 1, 10, "the frame")
        cloud.say(topic, b"\xff\x00 no JSON")
        cloud.say(topic, b'{"schema": 99}')
        cloud.say(topic, b'{"schema": 1, "outcome": "eaten", "at": "2025-07-01T00:00:00Z"}')
        cloud.receipt(sent.capture_id)
        until(lambda: spool.status().waiting == 0, 10, "the good one is obeyed")
    refused = [log for log in logs if log["event"] == "message_refused"]
    assert [log["reason"] for log in refused] == [
        "message-unreadable",
        "schema-unknown",
        "message-invalid",
    ]
    assert {log["topic"] for log in refused} == {topic}


def test_a_frame_over_the_broker_s_limit_is_refused_here_and_holds_nothing_up(
    broker, cloud, spool, agent
):
    payload_limit = broker.settings(max_payload_bytes=8000)
    small = frame(1)
    large = frame(2, image=b"\xff" * 9000)
    spool.save(large)
    spool.save(small)
    agent(broker=payload_limit)
    until(lambda: cloud.frames == [small], 10, "the small one")
    (entry,) = [one for one in spool.entries() if one.capture_id == large.capture_id]
    assert (entry.state, entry.reason) == ("refused", "payload-too-large")
    assert "max_payload_bytes (8000)" in entry.detail


def test_the_status_is_online_then_offline_and_retained(broker, cloud, spool, agent):
    saved(spool, 2)
    one = agent()
    until(lambda: bool(cloud.statuses), 10, "a status")
    first = cloud.statuses[0]
    assert (first.state, first.site, first.device) == ("online", SITE, DEVICE)
    assert (first.camera, first.spool_waiting, first.trouble) == ("test", 2, "")
    assert first.disk_free_mb > 0
    assert first.version
    assert retained(broker).state == "online"
    one.stop()
    assert cloud.connection.connected
    until(lambda: cloud.statuses[-1].state == "offline", 10, "the goodbye")
    assert retained(broker).state == "offline"


def retained(broker):
    """The status as somebody reads it who comes later."""
    with clients() as client:
        late = client(broker.settings(), "late", subscriptions=[STATUS]).start()
        until(lambda: bool(late.heard), 10, "the retained status")
        return decode(late.heard[0].payload, DeviceStatus)


def test_the_status_is_told_again_and_again_also_while_frames_come_thick(cloud, spool, agent):
    one = agent(status_every_s=0.5)
    until(lambda: bool(cloud.statuses), 10, "the first status")
    until_then = time.monotonic() + 3
    while time.monotonic() < until_then:
        one.wake()
        time.sleep(0.02)
    assert len(cloud.statuses) >= 4


AGENT = """
import sys, time
from pathlib import Path
from edge.agent import Agent
from edge.settings import EdgeSettings
from edge.spool import Spool
settings = EdgeSettings(
    site="home", device="scope-1", data_dir=Path(sys.argv[1]), broker={"port": int(sys.argv[2])}
)
Agent(settings, Spool(settings.spool_file)).start()
time.sleep(60)
"""


def test_a_killed_agent_is_lost_until_it_is_back(broker, cloud, spool, agent, station):
    command = [sys.executable, "-c", AGENT, str(station.data_dir), str(broker.port)]
    process = subprocess.Popen(command)
    try:
        until(lambda: bool(cloud.statuses), 20, "it is online")
        assert cloud.statuses[-1].state == "online"
    finally:
        process.kill()
        process.wait()
    until(lambda: cloud.statuses[-1].state == "lost", 10, "its last will")
    assert retained(broker).state == "lost"
    agent()
    until(lambda: cloud.statuses[-1].state == "online", 10, "it is back")
    assert retained(broker).state == "online"


def test_what_is_saved_while_the_broker_is_away_is_sent_when_it_is_back(
    broker, cloud, spool, agent
):
    with capture_logs() as logs:
        one = agent(resend_after_s=1)  # for what comes back before the cloud's end does
        until(lambda: one.connected, 10, "connected")
        broker.kill()
        until(lambda: not one.connected, 10, "the loss is seen")
        saved(spool, 5)
        one.wake()
        time.sleep(1.5)  # some vain tries
        broker.start()
        until(lambda: len({f.capture_id for f in cloud.frames}) == 5, 20, "all five")
        cloud.receipt_all()
        until(lambda: spool.status().waiting == 0, 10, "all are let go")
    events = [log["event"] for log in logs]
    assert events.count("broker_connected") == 2
    assert 1 <= events.count("broker_away") <= 3  # the loss, then one line for all vain tries


def test_without_commands_every_command_is_refused(cloud, agent):
    one = agent()
    until(lambda: one.connected, 10, "connected")
    cloud.command("ping", "abc")
    until(lambda: bool(cloud.replies), 10, "a reply")
    (reply,) = cloud.replies
    assert (reply.correlation_id, reply.ok, reply.reason) == ("abc", False, "no-commands")


def test_a_command_that_fails_in_its_own_way_ends_nothing(cloud, spool, agent):
    def trip(_command):
        raise ZeroDivisionError("on purpose")

    with capture_logs() as logs:
        one = agent(obey=trip)
        until(lambda: one.connected, 10, "connected")
        cloud.command("anything")
        until(lambda: any(log["event"] == "callback_failed" for log in logs), 10, "it is logged")
    saved(spool)
    until(lambda: len(cloud.frames) == 1, 10, "frames are sent all the same")


def test_a_spool_that_cannot_be_read_is_a_trouble_and_the_agent_goes_on_afterwards(
    cloud, spool, agent
):
    one = agent(status_every_s=0.2)
    until(lambda: bool(cloud.statuses), 10, "online")
    spool._db.execute("ALTER TABLE frames RENAME TO gone")
    until(lambda: "cannot be read" in cloud.statuses[-1].trouble, 10, "the trouble is told")
    spool._db.execute("ALTER TABLE gone RENAME TO frames")
    until(lambda: cloud.statuses[-1].trouble == "", 10, "it is over")
    saved(spool)
    one.wake()
    until(lambda: len(cloud.frames) == 1, 10, "frames are sent")


def test_a_disk_that_is_unplugged_is_a_trouble_without_its_path(cloud, spool, agent, station):
    one = agent(status_every_s=0.2)
    until(lambda: bool(cloud.statuses), 10, "online")
    file = spool.file
    spool.file = station.data_dir / "unplugged" / "spool.db"
    until(lambda: "does not answer" in cloud.statuses[-1].trouble, 10, "the trouble is told")
    assert str(station.data_dir) not in cloud.statuses[-1].trouble
    spool.file = file
    until(lambda: cloud.statuses[-1].trouble == "", 10, "it is over")
    assert one._thread.is_alive()


def test_stopping_says_goodbye_even_when_the_spool_does_not_answer(cloud, spool, agent):
    one = agent()
    until(lambda: bool(cloud.statuses), 10, "online")
    spool._db.execute("ALTER TABLE frames RENAME TO gone")
    one.stop()
    until(lambda: cloud.statuses[-1].state == "offline", 10, "the goodbye")


def test_frames_that_the_access_list_denies_are_a_trouble_and_stay(tmp_path, station, spool):
    rules = tmp_path / "rules"
    rules.write_text("topic read #\ntopic write leukoscope/1/home/scope-1/status\n")
    rules.chmod(0o600)
    saved(spool)
    with mosquitto(tmp_path / "strict", f"acl_file {rules}") as broker:
        listener = CloudEnd(broker.settings()).start()
        one = Agent(station.model_copy(update={"broker": broker.settings()}), spool)
        one.start()
        until(
            lambda: listener.statuses and listener.statuses[-1].trouble, 10, "the trouble is told"
        )
        assert listener.statuses[-1].trouble == (
            "the broker refused leukoscope/1/home/scope-1/frames (Not authorized): "
            "check its access list"
        )
        one.stop()
        listener.connection.stop()
    assert spool.status().waiting == 1
