import json
import time
import urllib.error
import urllib.request

import pytest
from frames import frame
from rig import Heard, Rig, until

from wire.codec import encode_frame

pytestmark = pytest.mark.system


@pytest.fixture
def rig(broker, tmp_path):
    """With a small hand, so that it is full at once."""
    opened = Rig(tmp_path / "home", broker, in_hand=4)
    yield opened
    opened.close()


def healthz(rig):
    url = f"http://127.0.0.1:{rig.home.ports['health']}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_a_store_that_goes_away_is_named_and_nothing_is_lost_when_it_returns(rig):
    heard = Heard()
    connection = rig.connect(heard)
    assert healthz(rig)[0] == 200
    before = [frame(n) for n in range(5)]
    for one in before:
        rig.publish(connection, encode_frame(one))
    until(lambda: len(heard.receipts) == 5, 20, "5 receipts")

    rig.stop_store()
    during = [frame(n) for n in range(5, 35)]  # far more than the worker takes in hand
    for one in during:
        rig.publish(connection, encode_frame(one))
    until(lambda: healthz(rig)[0] == 503, 15, "health sees it")
    assert list(healthz(rig)[1]["troubles"]) == ["store"]
    assert str(rig.home.ports["s3"]) in healthz(rig)[1]["troubles"]["store"]
    time.sleep(1)
    assert len(heard.receipts) == 5

    rig.start_store()
    until(lambda: len({r.capture_id for r in heard.receipts}) == 35, 90, "35 receipts")
    until(lambda: healthz(rig)[0] == 200, 15, "health is well again")
    connection.stop()
    assert {r.outcome for r in heard.receipts} == {"stored"}
    stored = {key.rpartition("/")[2].removesuffix(".json") for key in rig.keys("results/")}
    assert stored == {one.capture_id for one in before + during}
    assert rig.keys("dead-letters/") == []


@pytest.mark.parametrize("broker", ["mosquitto"], indirect=True)
def test_a_full_hand_that_outlasts_the_keepalive_loses_nothing(broker, tmp_path):
    rig = Rig(tmp_path / "home", broker, in_hand=2)
    try:
        rig.kill(rig.worker)
        text = rig.home.cloud_settings_file.read_text()
        rig.home.cloud_settings_file.write_text(
            text.replace("[broker]\n", "[broker]\nkeepalive_s = 5\n")
        )
        rig.start_worker()
        heard = Heard()
        connection = rig.connect(heard)
        rig.stop_store()
        frames = [frame(n) for n in range(12)]
        for one in frames:
            rig.publish(connection, encode_frame(one))
        time.sleep(9)  # Mosquitto drops a client after 1.5 × 5 s of silence
        rig.start_store()
        until(lambda: len({r.capture_id for r in heard.receipts}) == 12, 90, "12 receipts")
        connection.stop()
        assert len(rig.keys("results/")) == 12
    finally:
        rig.close()
