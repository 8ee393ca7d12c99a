"""`leukoscope-edge command` against a real broker, the device's end played by the test."""

import base64
import json
from datetime import UTC, datetime

import pytest
from brokers import Client, free_port, mosquitto
from cloud_end import DEVICE, SITE
from edge_program import edge, start_edge
from rig import until

from wire import topics
from wire.codec import decode, encode
from wire.command_key import is_signed
from wire.messages import Command, Reply

SLIDE = "s0123456789abcdef0123"
JPEG = b"\xff\xd8 a picture \xff\xd9"


class Device(Client):
    """Hears commands and answers them as it is told to."""

    def __init__(self, settings):
        self.topic = topics.device(SITE, DEVICE, "commands")
        super().__init__(settings, "device", subscriptions=[self.topic], persistent=False)

    @property
    def orders(self):
        return [decode(delivery.payload, Command) for delivery in list(self.heard)]

    def answer(self, correlation_id=None, **values):
        known = correlation_id or self.orders[-1].correlation_id
        reply = Reply(**({"correlation_id": known, "ok": True, "at": datetime.now(UTC)} | values))
        self.say(topics.device(SITE, DEVICE, "replies"), encode(reply))


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def device(broker):
    """The device's end, listening."""
    one = Device(broker.settings())
    one.listen(one.topic)
    yield one
    one.connection.stop()


@pytest.fixture
def order(broker, device, tmp_path):
    """Starts the command line, has the device answer, and returns exit code and what was said."""

    def start(*arguments, answer=None, **settings):
        log = tmp_path / "said"
        where = {"site": SITE, "broker__port": broker.port} | settings
        process = start_edge(log, "command", DEVICE, *arguments, **where)
        try:
            until(lambda: bool(device.orders), 20, f"the order: {log.read_text()}")
            if answer is not None:
                device.answer("of-another-order", ok=False)
                device.answer(**answer)
            return process.wait(20), log.read_text()
        finally:
            process.kill()
            process.wait()

    return start


def test_a_command_is_sent_with_its_arguments_and_its_reply_ends_it_with_0(device, order):
    code, said = order(
        "burst", "--slide", SLIDE, "--count", "3", answer={"result": {"capture_id": "x"}}
    )
    assert code == 0
    assert "scope-1: done capture_id=x" in said
    (sent,) = device.orders
    assert (sent.command, sent.arguments) == ("burst", {"slide": SLIDE, "count": 3})
    assert abs((datetime.now(UTC) - sent.at).total_seconds()) < 30
    assert sent.signature == ""


def test_a_refusal_ends_it_with_3_and_says_why(order):
    code, said = order("ping", answer={"ok": False, "reason": "no-commands", "detail": "Not [b]."})
    assert code == 3
    assert "refused (no-commands): Not [b]." in said


def test_json_is_the_whole_reply(device, order):
    code, said = order("snapshot", "--json", answer={"image": JPEG})
    assert code == 0
    reply = json.loads(said)
    assert base64.b64decode(reply["image"]) == JPEG
    assert reply["correlation_id"] == device.orders[0].correlation_id


def test_a_snapshot_is_written_to_its_file(order, tmp_path):
    code, said = order("snapshot", "--out", str(tmp_path / "seen.jpg"), answer={"image": JPEG})
    assert code == 0
    assert "seen.jpg" in said
    assert (tmp_path / "seen.jpg").read_bytes() == JPEG


def test_without_an_answer_it_asks_again_under_the_same_id_and_ends_with_4(device, order):
    code, said = order("capture", "--wait", "6.5")
    assert code == 4
    assert "is its agent running?" in said
    assert len({sent.correlation_id for sent in device.orders}) == 1
    assert len({sent.at for sent in device.orders}) == len(device.orders) == 2


def test_with_a_key_in_the_settings_the_command_is_signed_for_the_device(device, order, tmp_path):
    key = tmp_path / "command.key"
    key.write_text("k" * 64)
    code, _ = order("ping", answer={}, command_key_file=key)
    assert code == 0
    assert is_signed(device.heard[0].payload, SITE, DEVICE, b"k" * 64)


def test_without_a_broker_it_ends_with_4_and_names_its_address():
    port = free_port()
    ended = edge("command", DEVICE, "ping", "--wait", "1", site=SITE, broker__port=port)
    assert ended.returncode == 4
    assert str(port) in ended.stderr.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["reboot"], "there is no such command"),
        (["capture", "--slide", "24-001234"], "never the number"),
        (["burst", "--count", "1"], "2 to 20"),
        (["ping", "--gain", "2"], "takes no arguments"),
        (["snapshot"], "--out FILE"),
    ],
)
def test_a_mistake_is_found_before_it_travels(broker, device, arguments, said):
    ended = edge("command", DEVICE, *arguments, site=SITE, broker__port=broker.port)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.replace("│", " ").split())
    assert "24-001234" not in ended.stderr
    assert device.orders == []


def test_a_key_that_is_missing_is_one_sentence(broker, tmp_path):
    missing = tmp_path / "absent.key"
    settings = {"site": SITE, "broker__port": broker.port, "command_key_file": missing}
    ended = edge("command", DEVICE, "ping", **settings)
    assert ended.returncode == 2
    assert "absent.key" in ended.stderr
    assert "Traceback" not in ended.stderr
