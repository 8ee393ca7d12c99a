import json
import signal
import subprocess
import time
import urllib.request

import pytest
import tomli_w
from frames import frame
from processes import program
from prometheus_client.parser import text_string_to_metric_families
from rig import Heard, Rig, answers, until, wait_until

from wire.codec import decode, encode_frame
from wire.messages import FrameResult

pytestmark = pytest.mark.system


@pytest.mark.parametrize("broker", ["embedded"], indirect=True)
def test_followed_results_are_a_line_of_json_each_and_ctrl_c_ends_cleanly(rig):
    connection = rig.connect()
    config = str(rig.home.cloud_settings_file)
    with subprocess.Popen(
        [program("leukoscope-cloud"), "results", "--follow", "--json", "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as follower:
        time.sleep(3)  # it has no way to say that it listens
        frames = [frame(n) for n in range(5)]
        for one in frames:
            rig.publish(connection, encode_frame(one))
        lines = [follower.stdout.readline() for _ in frames]
        follower.send_signal(signal.SIGINT)
        rest, errors = follower.communicate(timeout=15)
    connection.stop()
    results = [decode(line.encode(), FrameResult) for line in lines]
    assert {r.capture_id for r in results} == {one.capture_id for one in frames}
    assert all(json.loads(line)["state"] == "preliminary" for line in lines)
    assert rest == ""
    assert "Traceback" not in errors
    assert follower.returncode == 0


def test_a_worker_told_to_stop_finishes_what_it_has_in_hand_and_exits_with_0(rig):
    heard = Heard()
    connection = rig.connect(heard)
    frames = [frame(n) for n in range(40)]
    for one in frames:
        rig.publish(connection, encode_frame(one))
    until(lambda: heard.receipts, 20, "the first receipt")
    rig.worker.process.send_signal(signal.SIGTERM)
    assert rig.worker.process.wait(20) == 0
    log = rig.worker.log.read_text()
    assert '"left_for_redelivery": 0' in log
    rig.children._running.remove(rig.worker)
    rig.start_worker()
    until(lambda: len({r.capture_id for r in heard.receipts}) == 40, 30, "all receipts")
    connection.stop()
    assert {r.outcome for r in heard.receipts} == {"stored"}
    assert len(rig.keys("results/")) == 40


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)  # nats-server has no share groups
def test_two_workers_of_one_share_group_divide_the_frames_and_each_has_one_result(broker, tmp_path):
    rig = Rig(tmp_path / "home", broker, share_group="workers")
    try:
        port = second_worker(rig)
        heard = Heard()
        connection = rig.connect(heard)
        frames = [frame(n) for n in range(40)]
        for one in frames:
            rig.publish(connection, encode_frame(one))
        until(lambda: len({r.capture_id for r in heard.receipts}) == 40, 30, "40 receipts")
        connection.stop()
        shares = [ended(port) for port in (rig.home.ports["health"], port)]
        assert sum(shares) == 40
        assert min(shares) > 0
        assert len(rig.keys("results/")) == 40
        assert not any(r.duplicate for r in heard.receipts)
    finally:
        rig.close()


def second_worker(rig):
    """Another worker at the same parts; gives the port of its /metrics."""
    text = rig.home.cloud_settings_file.read_text()
    port = rig.home.ports["admin"] + 1
    settings = rig.home.folder / "second.toml"
    first = f"http_port = {rig.home.ports['health']}"
    assert first in text
    head, tail = tomli_w.dumps({"name": "worker-2"}), text.replace(first, f"http_port = {port}")
    rig.home.write_private(settings, head + tail)
    rig.children.start(
        "worker-2", [program("leukoscope-cloud"), "worker", "--config", str(settings)]
    )
    url = f"http://127.0.0.1:{port}/healthz"
    wait_until(lambda: answers(url), rig.children, "the second worker", 30)
    return port


def ended(port):
    """How many frames the worker on this port has ended, by its own count."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "leukoscope_frames_total"
    )
