import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from brokers import clients, mosquitto, stop_in_time
from rig import until
from structlog.testing import capture_logs

from deploy.local.broker import start_broker
from deploy.local.children import Children
from deploy.local.home import Home
from wire.broker import BrokerSettings
from wire.connection import Callbacks, Connection, PayloadTooLargeError, Publication

TOPIC = "leukoscope/1/home/scope-1/frames"


@pytest.fixture
def broker(tmp_path):
    """Mosquitto that lets anybody do anything."""
    with mosquitto(tmp_path) as running:
        yield running


@pytest.fixture(params=["Mosquitto, MQTT 5", "Mosquitto, MQTT 3.1.1", "embedded, MQTT 3.1.1"])
def settings(request, tmp_path):
    """Settings of each broker that we promise to work with, running."""
    name, _, protocol = request.param.partition(", MQTT ")
    if name == "Mosquitto":
        with mosquitto(tmp_path) as running:
            yield running.settings(protocol=protocol)
        return
    home = Home(tmp_path / "home")
    with Children(home.logs) as children:
        start_broker(home, children)
        yield BrokerSettings(
            port=home.ports["mqtt"],
            protocol=protocol,
            username=home.credentials.broker_username,
            password=home.credentials.broker_password,
        )
    home.close()


@pytest.fixture
def client():
    """Makes clients, and stops them all."""
    with clients() as make:
        yield make


@pytest.fixture(params=["5", "3.1.1"])
def settings_kept(broker, request):
    """A broker and settings for it, for each protocol."""
    return broker, broker.settings(protocol=request.param)


@pytest.fixture
def closing_port():
    """Something that is no broker: it hangs up on everybody."""
    server = socket.create_server(("127.0.0.1", 0))

    def hang_up():
        while True:
            try:
                taken, _ = server.accept()
            except OSError:
                return
            taken.close()

    thread = threading.Thread(target=hang_up, daemon=True)
    thread.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def test_what_one_publishes_another_receives(settings, client):
    listener = client(settings, "listener", subscriptions=[TOPIC]).listen(TOPIC)
    client(settings, "speaker").start().say(TOPIC, b"\x00\xff any bytes")
    until(lambda: bool(listener.heard), 10, "the message")
    assert [(d.topic, d.payload) for d in listener.heard] == [(TOPIC, b"\x00\xff any bytes")]
    assert listener.states == [(True, "connected")]


def test_a_persistent_session_gets_what_was_sent_while_it_was_away(settings, client):
    client(settings, "away", subscriptions=[TOPIC]).listen(TOPIC).connection.stop()
    speaker = client(settings, "speaker").start()
    speaker.connection.publish(Publication(TOPIC, b"meanwhile")).wait_for_publish(10)
    back = client(settings, "away", subscriptions=[TOPIC]).start()
    until(lambda: back.payloads == [b"meanwhile"], 10, "what was sent meanwhile")


def test_without_a_persistent_session_what_was_sent_meanwhile_is_not_kept(broker, client):
    options = {"subscriptions": [TOPIC], "persistent": False}
    client(broker.settings(), "away", **options).listen(TOPIC).connection.stop()
    speaker = client(broker.settings(), "speaker").start()
    speaker.connection.publish(Publication(TOPIC, b"meanwhile")).wait_for_publish(10)
    back = client(broker.settings(), "away", **options).listen(TOPIC)
    assert back.payloads == []


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_delivery_that_was_not_acknowledged_comes_again(broker, client, protocol):
    settings = broker.settings(protocol=protocol)
    options = {"subscriptions": [TOPIC], "manual_ack": True}
    first = client(settings, "worker", **options).start()
    first.say(TOPIC, b"1")
    first.say(TOPIC, b"2")
    until(lambda: first.payloads == [b"1", b"2"], 10, "both")
    assert first.connection.ack(first.heard[0])
    first.connection.stop()
    assert not first.connection.ack(first.heard[1])  # its connection is gone
    again = client(settings, "worker", **options).start()
    until(lambda: again.payloads == [b"2"], 10, "the second one, and only that")


def test_an_acknowledgement_does_not_cross_a_reconnect(broker, client):
    worker = client(broker.settings(), "worker", subscriptions=[TOPIC], manual_ack=True).start()
    worker.say(TOPIC, b"1")
    until(lambda: worker.payloads == [b"1"], 10, "it")
    broker.kill()
    until(lambda: not worker.connection.connected, 10, "the loss is seen")
    broker.start()
    assert worker.connection.wait_connected(10)
    assert not worker.connection.ack(worker.heard[0])


def test_after_kill_9_of_the_broker_it_connects_and_subscribes_again(settings_kept, client):
    broker, settings = settings_kept
    one = client(settings, "one", subscriptions=[TOPIC]).listen(TOPIC)
    broker.kill()
    until(lambda: not one.connection.connected, 10, "the loss is seen")
    one.say(TOPIC, b"said while the broker was away")
    until(lambda: "no broker answers" in one.states[-1][1], 10, "a vain try")
    assert f"127.0.0.1:{broker.port}" in one.states[-1][1]
    broker.start()
    until(lambda: one.payloads == [b"said while the broker was away"], 10, "it comes through")
    assert one.states[0] == one.states[-1] == (True, "connected")


def test_it_is_told_whether_the_broker_kept_the_session(settings, client):
    first = client(settings, "room", subscriptions=[TOPIC, TOPIC + "/x"])
    first.start()
    until(lambda: first.resumed == [False], 10, "the subscriptions are answered for")
    stop_in_time(first.connection)
    again = client(settings, "room", subscriptions=[TOPIC])
    again.start()
    until(lambda: again.resumed == [True], 10, "the subscriptions are answered for")


def test_a_broker_that_was_killed_and_forgot_is_told_from_one_that_did_not(settings_kept, client):
    broker, settings = settings_kept
    here = client(settings, "room", subscriptions=[TOPIC]).start()
    until(lambda: here.resumed == [False], 10, "the subscriptions are answered for")
    broker.kill()
    broker.start()
    until(lambda: here.resumed == [False, False], 10, "the subscriptions are answered for again")


def test_a_payload_over_the_limit_is_refused_before_it_is_sent(broker, client):
    settings = broker.settings(max_payload_bytes=4096)
    one = client(settings, "one", subscriptions=[TOPIC]).listen(TOPIC)
    with pytest.raises(PayloadTooLargeError, match=r"4097 bytes .*max_payload_bytes \(4096\)"):
        one.say(TOPIC, b"x" * 4097)
    one.say(TOPIC, b"x" * 4096)
    until(lambda: bool(one.heard), 10, "the one that fits")
    assert one.payloads == [b"x" * 4096]


def test_a_callback_that_raises_is_logged_and_does_not_end_the_connection(broker):
    heard = []

    def trip(delivery):
        heard.append(delivery.payload)
        raise ZeroDivisionError("on purpose")

    connection = Connection(
        broker.settings(), "one", subscriptions=[TOPIC], callbacks=Callbacks(message=trip)
    )
    with capture_logs() as logs:
        connection.start()
        assert connection.wait_connected(10)
        for payload in (b"1", b"2", b"3"):
            connection.publish(Publication(TOPIC, payload))
        until(lambda: len(heard) == 3, 10, "all three")
        assert connection.connected
        connection.stop()
    assert [log["event"] for log in logs] == ["callback_failed"] * 3
    assert "trip" in logs[0]["callback"]


def test_four_threads_publish_2000_messages_while_receiving_them_without_a_deadlock(broker, client):
    one = client(broker.settings(), "one", subscriptions=[TOPIC]).listen(TOPIC)

    def publish(thread):
        for number in range(500):
            one.say(TOPIC, b"%d-%d" % (thread, number))

    threads = [threading.Thread(target=publish, args=(n,), daemon=True) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive(), "publish and its answer wait for each other"
    until(lambda: len(set(one.payloads)) == 2000, 30, "all 2000")
    assert one.refusals == []


PROGRAM = """
import sys, time
from wire.broker import BrokerSettings
from wire.connection import Connection, Publication
one = Connection(
    BrokerSettings(port=int(sys.argv[1])),
    "mortal",
    will=Publication(sys.argv[2], b"lost", retain=True),
)
one.start()
assert one.wait_connected(10)
print("connected", flush=True)
if sys.argv[3] == "goodbye":
    one.stop(Publication(sys.argv[2], b"goodbye", retain=True))
else:
    time.sleep(60)
"""


@pytest.mark.parametrize(("end", "last_word"), [("kill", b"lost"), ("goodbye", b"goodbye")])
def test_the_last_will_is_published_when_the_process_is_killed_and_only_then(
    broker, client, end, last_word
):
    topic = "leukoscope/1/home/scope-1/status"
    listener = client(broker.settings(), "listener", subscriptions=[topic]).listen(topic)
    command = [sys.executable, "-c", PROGRAM, str(broker.port), topic, end]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"connected\n"
        if end == "goodbye":
            assert process.wait(10) == 0
    finally:
        process.kill()
        process.communicate()
    until(lambda: bool(listener.heard), 10, "a last word")
    assert listener.payloads == [last_word]
    late = client(broker.settings(), "late", subscriptions=[topic]).start()
    until(lambda: late.payloads == [last_word], 10, "the last word is retained")


@pytest.mark.parametrize("failures", [0, 1, 2, 3, 5, 8, 20, 1000])
def test_the_wait_before_reconnecting_doubles_up_to_its_limit_and_is_spread(failures):
    random.seed(failures)
    settings = BrokerSettings(reconnect_min_s=0.5, reconnect_max_s=30)
    connection = Connection(settings, "one")
    ceiling = min(30, 0.5 * 2**failures)
    waits = []
    for _ in range(200):
        connection._failures = failures
        connection._delay_next_connect()
        assert connection._client._reconnect_min_delay == connection._client._reconnect_max_delay
        waits.append(connection._client._reconnect_min_delay)
    assert ceiling / 2 <= min(waits) < 0.55 * ceiling
    assert 0.95 * ceiling < max(waits) <= ceiling
    assert max(Counter(waits).values()) == 1


def test_a_socket_that_accepts_and_closes_is_told_and_waited_for_ever_longer(client, closing_port):
    settings = BrokerSettings(port=closing_port, reconnect_min_s=0.01, reconnect_max_s=30)
    one = client(settings, "one")
    reason = one.why_not()
    assert f"127.0.0.1:{closing_port} closed the connection without a word" in reason
    assert "asks for TLS" in reason
    until(lambda: len(one.states) >= 4, 10, "more tries")
    assert one.connection._failures >= 4
    assert one.connection._client._reconnect_min_delay >= 0.08


def test_stopping_before_there_was_a_connection_ends_at_once_and_says_nothing(client):
    settings = BrokerSettings(port=9, reconnect_min_s=20, reconnect_max_s=30)
    one = client(settings, "one")
    assert "no broker answers at 127.0.0.1:9" in one.why_not()
    began = time.monotonic()
    stop_in_time(one.connection)
    assert time.monotonic() - began < 5
    assert len(one.states) == 1
