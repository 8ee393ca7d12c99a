import json
import random
import threading
import time

import pytest
from frames import frame
from rig import Heard, until

from edge.agent import Agent, Hooks
from edge.spool import Spool
from wire.codec import encode_frame

pytestmark = pytest.mark.system


@pytest.fixture
def scale(request):
    """How much to go through: a little, or with --full all that the issue asks for."""
    if request.config.getoption("--full"):
        return {"frames": 1000, "worker": 10, "broker": 3, "store_s": 20.0, "pause_s": 0.06}
    return {"frames": 150, "worker": 2, "broker": 1, "store_s": 3.0, "pause_s": 0.05}


def test_every_saved_frame_becomes_one_stored_result_whatever_is_killed(rig, scale):
    settings = rig.edge_settings(window=64)
    spool = Spool(settings.spool_file)
    receipts = []
    agent = Agent(settings, spool, hooks=Hooks(settled=receipts.append))
    agent.start()
    sent = []

    def capture() -> None:
        for number in range(scale["frames"]):
            one = frame(number)
            spool.save(one)
            sent.append(one.capture_id)
            agent.wake()
            time.sleep(scale["pause_s"])

    capturing = threading.Thread(target=capture)
    capturing.start()
    make_trouble(rig, scale)  # here: a child ends with the thread that started it
    capturing.join()
    until(lambda: spool.status().waiting == 0, 180, "the spool is empty")
    agent.stop()

    stored = [key.rpartition("/")[2].removesuffix(".json") for key in rig.keys("results/")]
    assert sorted(stored) == sorted(sent)
    assert sorted(r.capture_id for r in receipts) == sorted(sent)
    assert {r.outcome for r in receipts} == {"stored"}
    assert spool.status().refused == 0
    assert rig.keys("dead-letters/") == []
    spool.close()


def make_trouble(rig, scale):
    """Kill the worker and the broker at random moments, and take the store away once."""
    blows = ["worker"] * scale["worker"] + ["broker"] * scale["broker"] + ["store"]
    random.Random(1).shuffle(blows)
    for blow in blows:
        time.sleep(random.uniform(1.0, 3.0))
        if blow == "worker":
            rig.restart_worker()
        elif blow == "broker":
            rig.restart_broker()
        else:
            rig.stop_store()
            time.sleep(scale["store_s"])
            rig.start_store()


def test_a_frame_published_again_and_again_yields_one_result(rig):
    heard = Heard()
    connection = rig.connect(heard)
    sent = frame(1)
    payload = encode_frame(sent)
    for _ in range(3):
        rig.publish(connection, payload)
    until(lambda: len(heard.receipts) == 3, 20, "three receipts")
    assert sorted(r.duplicate for r in heard.receipts) == [False, True, True]

    rig.restart_worker()  # and next day, after everything was restarted
    rig.restart_broker()
    rig.wait_for_worker()
    until(lambda: connection.connected, 10, "the listener is back")
    time.sleep(0.5)  # and subscribed again
    rig.publish(connection, payload)
    until(lambda: len(heard.receipts) == 4, 20, "a fourth receipt")
    connection.stop()

    assert {r.outcome for r in heard.receipts} == {"stored"}
    (key,) = rig.keys("results/")
    assert len({r.key for r in heard.receipts} | {key}) == 1
    published = {json.dumps([c.probability for c in r.cells]) for r in heard.results}
    assert len(published) == 1
    assert len({r.classified_at for r in heard.results}) == 1


def test_another_image_under_a_used_capture_id_is_refused_and_the_first_result_stays(rig):
    heard = Heard()
    connection = rig.connect(heard)
    first = frame(1)
    rig.publish(connection, encode_frame(first))
    until(lambda: len(heard.receipts) == 1, 20, "the first receipt")
    rig.publish(connection, encode_frame(frame(2, capture_id=first.capture_id)))
    until(lambda: len(heard.receipts) == 2, 20, "the second receipt")
    connection.stop()
    assert heard.receipts[1].outcome == "refused"
    assert heard.receipts[1].reason == "capture-id-reused"
    (key,) = rig.keys("results/")
    stored = json.loads(rig.read(key))
    assert stored["image_sha256"] == first.sha256
    assert rig.read(stored["image_key"]) == first.image
