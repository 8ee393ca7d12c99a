import sqlite3
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from edge.commands.memory import KEEP, AnsweredBefore, Memory
from edge.refusal import CaptureRefused
from wire.messages import Command, Reply

NOW = datetime(2026, 1, 2, tzinfo=UTC)
INTERRUPTED = Reply(correlation_id="-", ok=False, reason="command-interrupted", at=NOW)
CANARY = "Kanarienvogel"


def order(correlation_id="c-1", **changes):
    values = {"correlation_id": correlation_id, "command": "capture", "arguments": {}}
    return Command(**(values | changes))


def reply(command, **result):
    return Reply(correlation_id=command.correlation_id, ok=True, result=result, at=NOW)


@pytest.fixture
def remember(tmp_path):
    """Opens the memory; called again, as after a restart."""
    opened = []

    def open_it():
        for one in opened:
            one.close()
        opened.append(Memory(tmp_path / "commands.db", INTERRUPTED))
        return opened[-1]

    yield open_it
    opened[-1].close()


def carry_out(memory, command, **result):
    assert memory.taken(command)
    memory.begin(command)
    memory.end(command, reply(command, **result))


def before(memory, command):
    with pytest.raises(AnsweredBefore) as caught:
        memory.taken(command)
    return caught.value.reply


def test_an_order_is_taken_once_and_answered_the_same_again(remember):
    memory = remember()
    carry_out(memory, order(), capture_id="x")
    assert before(memory, order()) == reply(order(), capture_id="x")
    assert before(memory, order(at=NOW, signature="f" * 64)) == reply(order(), capture_id="x")


def test_after_a_restart_too(remember):
    carry_out(remember(), order(), capture_id="x")
    assert before(remember(), order()) == reply(order(), capture_id="x")


def test_while_it_is_carried_out_a_repeat_is_neither_taken_nor_answered(remember):
    memory = remember()
    assert memory.taken(order())
    assert not memory.taken(order())


def test_an_order_that_a_restart_broke_off_is_answered_as_that_and_not_carried_out_again(remember):
    memory = remember()
    memory.taken(order())
    memory.begin(order())
    assert before(remember(), order()).reason == "command-interrupted"


def test_an_order_that_was_never_begun_is_taken_after_a_restart(remember):
    memory = remember()
    memory.taken(order())
    assert remember().taken(order())
    memory = remember()
    memory.taken(order())
    memory.forget(order())
    assert memory.taken(order())


@pytest.mark.parametrize("other", [{"command": "burst"}, {"arguments": {"slide": "s"}}])
def test_another_order_under_the_same_id_is_refused(remember, other):
    memory = remember()
    carry_out(memory, order())
    with pytest.raises(CaptureRefused) as caught:
        memory.taken(order(**other))
    assert caught.value.reason == "correlation-id-reused"


def test_the_last_ones_are_remembered_and_no_more(remember, tmp_path):
    memory = remember()
    for number in range(KEEP + 3):
        carry_out(memory, order(str(number)))
    assert before(memory, order("3"))
    assert memory.taken(order("2"))
    with sqlite3.connect(tmp_path / "commands.db") as db:
        assert db.execute("SELECT count(*) FROM orders").fetchone() == (KEEP,)
    db.close()
    assert before(remember(), order("3"))


def test_the_file_is_private_and_holds_no_word_of_the_order(remember, tmp_path):
    command = order(f"for {CANARY}", arguments={"slide": CANARY})
    carry_out(remember(), command)
    assert before(remember(), command).correlation_id == command.correlation_id
    for file in tmp_path.iterdir():
        assert CANARY.encode() not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_a_damaged_file_is_made_anew_and_that_is_logged(remember, tmp_path):
    (tmp_path / "commands.db").write_bytes(b"no database" * 1000)
    with capture_logs() as logs:
        assert remember().taken(order())
    assert [log["event"] for log in logs] == ["orders_forgotten"]


def test_where_the_file_cannot_be_written_the_memory_lasts_until_the_restart(remember):
    memory = remember()
    memory._db.execute("PRAGMA query_only = ON")
    with capture_logs() as logs:
        carry_out(memory, order("1"))
        carry_out(memory, order("2"))
    assert [log["event"] for log in logs] == ["orders_not_noted"]
    assert before(memory, order("1"))
    assert remember().taken(order("1"))
