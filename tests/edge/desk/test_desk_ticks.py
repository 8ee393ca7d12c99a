"""Saved, sent, stored: what has become of each capture, over a real broker."""

import subprocess
import time

import pytest
from brokers import free_port, mosquitto
from cloud_end import DEVICE, SITE, CloudEnd
from desks import desk_settings
from frames import frame
from rig import until

from deploy.local.broker import listens, program
from edge.cameras.simulator import SimulatorCamera
from edge.desk.ledger import MOST
from edge.identity import new_capture_id
from edge.station import open_station
from wire import topics

SLIDE = "s0123456789abcdef0123"


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def cloud(broker):
    end = CloudEnd(broker.settings()).listen(topics.device(SITE, DEVICE, "frames"))
    yield end
    end.connection.stop()


@pytest.fixture
def settings(broker, tmp_path):
    return desk_settings(tmp_path / "station", broker=broker.settings(), resend_after_s=30)


@pytest.fixture
def station(settings, cloud):
    with open_station(settings, camera=SimulatorCamera(7, "ALL")) as opened:
        until(lambda: opened.agent.connected, 10, "the broker")
        opened.desk.start_token(SLIDE, "page")
        yield opened


def newest(station):
    return station.desk.state.lines[0]


def test_each_tick_comes_in_its_turn_and_the_suggestion_with_the_result(station, cloud):
    desk = station.desk
    taken = desk.capture("page")
    until(lambda: newest(station).sent, 10, "it is sent")
    assert (newest(station).stored, newest(station).suggestion) == (False, "")
    until(lambda: bool(cloud.frames), 10, "the frame")
    cloud.receipt_all()
    until(lambda: newest(station).stored, 10, "it is stored")
    until(lambda: desk.state.waiting == 0, 10, "nothing waits")
    cloud.result(cloud.frames[0], "ALL", ALL=2, Normal=1)
    until(lambda: bool(newest(station).suggestion), 10, "the result")
    line = newest(station)
    assert (line.capture_id, line.by) == (taken.capture_id, "page")
    assert (line.suggestion, line.counts) == ("ALL", {"ALL": 2, "Normal": 1})
    assert desk.frame(taken.capture_id) == cloud.frames[0].image  # though the spool let it go


def test_a_refusal_of_the_cloud_is_on_the_line_and_gone_when_it_is_sent_again(station, cloud):
    desk = station.desk
    desk.capture("page")
    until(lambda: bool(cloud.frames), 10, "the frame")
    capture_id = cloud.frames[0].capture_id
    cloud.receipt(capture_id, reason="image-truncated", detail="Capture the field again.")
    until(lambda: newest(station).reason == "image-truncated", 10, "the refusal")
    assert newest(station).refused == "Capture the field again."
    assert desk.state.refused == 1
    assert "frames-refused" in {trouble.code for trouble in desk.state.troubles}
    station.spool.retry()
    until(lambda: len(cloud.frames) == 2, 10, "it is sent again")
    until(lambda: newest(station).reason == "", 10, "it is refused no more")


def test_a_capture_of_the_command_line_gets_its_line_when_it_is_sent(station, cloud):
    station.spool.save(sent := frame(slide=SLIDE, capture_id=new_capture_id()))
    until(lambda: bool(station.desk.state.lines), 10, "its line")
    line = newest(station)
    assert (line.capture_id, line.by, line.sent) == (sent.capture_id, "station", True)


def test_a_receipt_and_a_result_that_are_quicker_than_the_desk_are_not_lost(station, cloud):
    """The agent finds a frame in the spool, and the cloud answers, before the press returns."""
    desk = station.desk
    write_down = desk._ledger.saved

    def slowly(capture, by):
        until(lambda: bool(cloud.frames), 10, "the frame was sent already")
        cloud.result(cloud.frames[0], "AML")
        cloud.receipt_all()
        until(lambda: station.spool.status().waiting == 0, 10, "and receipted")
        time.sleep(0.2)
        return write_down(capture, by)

    desk._ledger.saved = slowly
    desk.capture("button")
    line = newest(station)
    assert (line.by, line.saved, line.sent, line.stored) == ("button", True, True, True)
    assert line.suggestion == "AML"


def test_old_frames_out_of_a_long_queue_do_not_push_new_lines_away(settings, cloud):
    with open_station(
        settings.model_copy(update={"broker": settings.broker.model_copy(update={"port": 1})}),
        camera=SimulatorCamera(7, "ALL"),
    ) as away:
        for number in range(MOST + 10):
            away.spool.save(frame(number, slide=SLIDE))
    with open_station(settings, camera=SimulatorCamera(7, "ALL")) as station:
        before = {line.capture_id for line in station.desk.state.lines}
        assert len(before) == MOST
        until(lambda: len(cloud.frames) >= 32, 20, "a window full is sent")
        assert {line.capture_id for line in station.desk.state.lines} == before


def test_without_a_broker_a_press_is_saved_and_the_page_says_what_is_wrong(settings):
    nobody = settings.broker.model_copy(update={"port": 1})
    away = settings.model_copy(update={"broker": nobody})
    with open_station(away, camera=SimulatorCamera(7, "ALL")) as station:
        station.desk.start_token(SLIDE, "page")
        assert station.desk.capture("page").saved
        until(lambda: "no broker" in station.desk.state.broker_problem, 10, "it is said")
        state = station.desk.state
        assert not state.broker
        (trouble,) = [one for one in state.troubles if one.code == "broker-away"]
        assert "captures stay saved here" in trouble.remedy


def test_a_broker_that_denies_the_results_is_told_once_and_all_else_goes_on(tmp_path):
    denied, port = f"leukoscope.1.{SITE}.results.>", free_port()
    (tmp_path / "nats.conf").write_text(
        'server_name: t\nlisten: "127.0.0.1:-1"\n'
        f'jetstream {{ store_dir: "{tmp_path}/js" }}\n'
        f'mqtt {{ listen: "127.0.0.1:{port}" }}\n'
        "authorization { users: [ { user: u, password: p, permissions: {"
        f' publish: ">", subscribe: {{ allow: ">", deny: "{denied}" }} }} }} ] }}\n'
    )
    server = subprocess.Popen(
        [program("nats-server"), "-c", str(tmp_path / "nats.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: listens(port), 20, "nats listens")
        broker = {"port": port, "protocol": "3.1.1", "username": "u", "password": "p"}
        settings = desk_settings(tmp_path / "station", broker=broker)
        with open_station(settings, camera=SimulatorCamera(7, "ALL")) as station:
            desk = station.desk
            until(
                lambda: "results-denied" in {trouble.code for trouble in desk.state.troubles},
                15,
                "the denial is told",
            )
            desk.start_token(SLIDE, "page")
            desk.capture("page")
            until(lambda: newest(station).sent, 15, "it is sent all the same")
    finally:
        server.terminate()
        server.wait(10)
