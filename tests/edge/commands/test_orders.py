"""How orders are taken in and answered, whatever the desk then does with them."""

import threading
from datetime import UTC, datetime, timedelta

import cv2
import msgspec
import numpy as np
import pytest
from rig import until
from structlog.testing import capture_logs

from edge.commands.commands import WAITING, Commands
from edge.commands.names import NAMES
from edge.focus.sweep import Focused
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from wire.codec import encode
from wire.command_key import signed
from wire.messages import Command

SLIDE = "s0123456789abcdef0123"
CANARY = "Kanarienvogel"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class SlowDesk:
    """A desk whose autofocus takes until it is let go; it counts what it was asked."""

    def __init__(self):
        self.focused = 0
        self.let_go = threading.Event()
        self.error = None

    def snapshot_to_send(self):
        done, data = cv2.imencode(".jpg", np.full((48, 64, 3), 200, np.uint8))
        assert done
        return data.tobytes()

    def autofocus(self, by):
        assert by == "remote"
        self.focused += 1
        assert self.let_go.wait(20)
        if self.error is not None:
            raise self.error
        return Focused(z_um=1.5, sharpness=2.0, looked=9)


@pytest.fixture
def desk():
    return SlowDesk()


@pytest.fixture
def settings(tmp_path):
    return EdgeSettings(site="home", device="scope-1", data_dir=tmp_path, allow_commands=NAMES)


@pytest.fixture
def begin(settings, desk):
    """Begins to take orders; called again, as after a restart."""
    begun = []

    def start(**changes):
        for one in begun:
            one.stop(0.1)
        begun.append(Commands(settings.model_copy(update=changes), desk, now=lambda: NOW))
        return Orders(begun[-1])

    yield start
    desk.let_go.set()
    begun[-1].stop()


class Orders:
    """Gives orders and hears replies."""

    def __init__(self, commands):
        self.commands = commands
        self.replies = []

    def give(self, command, correlation_id="c-1", at=None, key=None, **arguments):
        order = Command(correlation_id=correlation_id, command=command, arguments=arguments, at=at)
        if key is not None:
            order = signed(order, "home", "scope-1", key)
        self.say(encode(order))

    def say(self, payload):
        self.commands.take(payload, self.replies.append)

    def replied(self, number=1):
        until(lambda: len(self.replies) >= number, 10, f"{number} replies")
        assert len(self.replies) == number
        return self.replies[-1]

    def reasons(self):
        return [reply.reason for reply in self.replies]


def test_a_long_order_holds_neither_the_giver_nor_a_ping_up(begin, desk):
    orders = begin()
    orders.give("autofocus", "long")
    orders.give("ping", "short")
    assert orders.replied().correlation_id == "short"
    desk.let_go.set()
    reply = orders.replied(2)
    assert (reply.correlation_id, reply.ok) == ("long", True)
    assert reply.result == {"z_um": 1.5, "sharpness": 2.0, "looked": 9}


def test_an_order_that_comes_twice_is_carried_out_once_and_answered_twice(begin, desk):
    desk.let_go.set()
    orders = begin()
    orders.give("autofocus")
    first = orders.replied()
    orders.give("autofocus")
    assert orders.replied(2) == first
    again = begin()  # the broker delivers it once more after a restart
    again.give("autofocus")
    assert again.replied() == first
    assert desk.focused == 1


def test_an_order_that_comes_again_while_it_is_carried_out_is_answered_once(begin, desk):
    orders = begin()
    orders.give("autofocus")
    until(lambda: desk.focused == 1, 10, "it is begun")
    orders.give("autofocus")
    desk.let_go.set()
    assert orders.replied().ok
    orders.give("ping", "p")
    orders.replied(2)
    assert desk.focused == 1


def test_an_order_that_was_broken_off_by_a_restart_is_not_begun_again(begin, desk):
    orders = begin()
    orders.give("autofocus")
    until(lambda: desk.focused == 1, 10, "it is begun")
    again = begin()
    again.give("autofocus")
    reply = again.replied()
    assert (reply.ok, reply.reason) == (False, "command-interrupted")
    assert "give a new order" in reply.detail
    assert desk.focused == 1


def test_more_orders_than_may_wait_are_refused_and_may_be_given_again(begin, desk):
    orders = begin()
    orders.give("autofocus", "at hand")
    until(lambda: desk.focused == 1, 10, "it is begun")
    for number in range(WAITING):
        orders.give("autofocus", str(number))
    orders.give("autofocus", "one too many")
    assert orders.replied().reason == "too-many-commands"
    desk.let_go.set()
    orders.replied(WAITING + 2)
    orders.give("autofocus", "one too many")
    assert orders.replied(WAITING + 3).ok


def test_orders_that_wait_when_the_station_stops_are_refused_and_not_forgotten(begin, desk):
    orders = begin()
    orders.give("autofocus", "at hand")
    until(lambda: desk.focused == 1, 10, "it is begun")
    orders.give("autofocus", "waits")
    stopping = threading.Thread(target=orders.commands.stop)
    stopping.start()
    until(orders.commands._stopping.is_set, 10, "it stops")
    orders.give("autofocus", "too late")
    desk.let_go.set()
    stopping.join(10)
    assert sorted(orders.reasons()) == ["", "station-stopping", "station-stopping"]
    desk.let_go.set()
    again = begin()
    again.give("autofocus", "waits")
    assert again.replied().ok


@pytest.mark.parametrize("by_s", [-121, 121, 40_000_000])
def test_an_order_from_another_time_is_refused_and_told_its_age(begin, desk, by_s):
    orders = begin()
    orders.give("autofocus", at=NOW - timedelta(seconds=by_s))
    reply = orders.replied()
    assert (reply.reason, desk.focused) == ("command-expired", 0)
    assert f"it is {by_s} s old" in reply.detail
    assert "one of the two clocks is wrong" in reply.detail


def test_what_changes_nothing_has_no_age_and_a_fresh_order_is_carried_out(begin, desk):
    desk.let_go.set()
    orders = begin()
    orders.give("ping", at=NOW - timedelta(days=4000))
    assert orders.replied().ok
    orders.give("autofocus", "f", at=NOW - timedelta(seconds=100))
    assert orders.replied(2).ok


def test_what_is_not_on_the_station_s_list_is_refused_by_name(begin, desk):
    orders = begin(allow_commands=("ping",))
    orders.give("autofocus")
    reply = orders.replied()
    assert (reply.reason, desk.focused) == ("command-not-allowed", 0)
    assert "does not take autofocus" in reply.detail


def test_with_a_key_only_what_it_signed_is_carried_out(begin, desk, tmp_path):
    desk.let_go.set()
    file = tmp_path / "command.key"
    file.write_text("k" * 32)
    orders = begin(command_key_file=file)
    orders.give("ping", "no signature")
    orders.give("ping", "another's", key=b"x" * 32)
    orders.give("autofocus", "for ever", key=b"k" * 32)
    orders.give("autofocus", "signed", at=NOW, key=b"k" * 32)
    orders.replied(4)
    assert orders.reasons() == ["signature-wrong", "signature-wrong", "command-expired", ""]


def test_a_recorded_signed_snapshot_order_is_not_good_for_ever(begin, tmp_path):
    file = tmp_path / "command.key"
    file.write_text("k" * 32)
    orders = begin(command_key_file=file)
    orders.give("snapshot", "recorded", at=NOW - timedelta(seconds=121), key=b"k" * 32)
    orders.give("snapshot", "for ever", key=b"k" * 32)
    assert orders.replied(2).image is None
    orders.give("snapshot", "fresh", at=NOW - timedelta(seconds=119), key=b"k" * 32)
    assert orders.replied(3).image
    orders.give("ping", "wrong clock", at=NOW - timedelta(days=4000), key=b"k" * 32)
    orders.replied(4)
    assert orders.reasons() == ["command-expired", "command-expired", "", ""]


def test_without_a_key_a_snapshot_order_has_no_age(begin):
    orders = begin()
    orders.give("snapshot", at=NOW - timedelta(days=4000))
    assert orders.replied().image


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"schema":1,"correlation_id":"c-1"}', "message-invalid"),
        (b'{"schema":1,"correlation_id":"c-1","command":7}', "message-invalid"),
        (b'{"schema":1,"correlation_id":"c-1","command":"ping","arguments":[]}', "message-invalid"),
        (b'{"schema":9,"correlation_id":"c-1","command":"ping"}', "schema-unknown"),
    ],
)
def test_a_malformed_order_is_refused_where_it_says_whom_to_answer(begin, payload, reason):
    orders = begin()
    orders.say(payload)
    reply = orders.replied()
    assert (reply.correlation_id, reply.ok, reply.reason) == ("c-1", False, reason)


@pytest.mark.parametrize("payload", [b"", b"no JSON", b"\xff", b"[]", b'{"command":"ping"}'])
def test_what_cannot_be_answered_is_logged(begin, payload):
    orders = begin()
    with capture_logs() as logs:
        orders.say(payload)
    assert [log["event"] for log in logs] == ["message_refused"]
    assert orders.replies == []


def test_a_refusal_of_the_desk_is_the_reply_and_a_fault_of_the_program_leaves_it_obedient(
    begin, desk
):
    desk.let_go.set()
    orders = begin()
    desk.error = CaptureRefused(
        "station-busy", "A capture is being taken.", "Wait a moment.", "at /home/x"
    )
    orders.give("autofocus", "1")
    reply = orders.replied()
    assert (reply.reason, reply.detail) == (
        "station-busy",
        "A capture is being taken. Wait a moment.",
    )
    desk.error = ZeroDivisionError(CANARY)
    with capture_logs() as logs:
        orders.give("autofocus", "2")
        assert orders.replied(2).reason == "command-failed"
    assert CANARY not in orders.replies[-1].detail
    assert "command_failed" in [log["event"] for log in logs]
    desk.error = None
    orders.give("autofocus", "3")
    assert orders.replied(3).ok


@pytest.mark.parametrize(
    "order",
    [
        {"command": CANARY},
        {"command": "capture", "arguments": {"slide": CANARY}},
        {"command": "start-slide", "arguments": {"slide": CANARY}},
        {"command": "ping", "arguments": {CANARY: CANARY}},
        {"command": "burst", "arguments": {"count": CANARY}},
        {"command": "autofocus", "at": CANARY},
        {"command": ["capture", CANARY]},
        {"command": "capture", "arguments": {"slide": {"name": CANARY}}},
    ],
)
def test_a_name_in_an_order_comes_back_in_no_reply_and_no_log(begin, desk, order):
    orders = begin()
    with capture_logs() as logs:
        orders.say(msgspec.json.encode({"schema": 1, "correlation_id": "c-1"} | order))
    assert not orders.replied().ok
    assert CANARY.encode() not in encode(orders.replies[0])
    assert CANARY not in str(logs)
    assert desk.focused == 0
