"""Takes orders in on the network thread and carries them out, one after another, on its own."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from msgspec import Struct

from edge.commands.actions import ACTIONS, Action, Done
from edge.commands.arguments import read_arguments
from edge.commands.memory import AnsweredBefore, Memory
from edge.commands.names import CommandName
from edge.commands.permit import Permit, station_clock
from edge.commands.picture import within
from edge.desk import Desk
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from wire.codec import MessageError, decode
from wire.messages import Command, CorrelationId, Reply

WAITING: Final = 8
"""Orders that may wait for the one at hand."""
_ENVELOPE_BYTES: Final = 4096
"""All of a reply but its picture, rounded up."""

Answer = Callable[[Reply], None]

_log = structlog.get_logger("edge.commands")


@dataclass(frozen=True)
class _Order:
    command: Command
    name: CommandName
    action: Action
    arguments: Struct
    answer: Answer


class Commands:
    """Remote commands of one station. `take` each one, `stop` before the desk is closed.

    Args:
        settings: of this station.
        desk: where they are carried out.
        now: the station's clock.

    Raises:
        CommandKeyError: the key of the settings cannot be used.
    """

    def __init__(
        self, settings: EdgeSettings, desk: Desk, now: Callable[[], datetime] = station_clock
    ) -> None:
        self._desk = desk
        self._now = now
        self._picture_bytes = (settings.broker.max_payload_bytes - _ENVELOPE_BYTES) * 3 // 4
        self._permit = Permit(settings, now)
        self._memory = Memory(settings.data_dir / "commands.db", self._refused("-", _interrupted()))
        self._queue: queue.Queue[_Order | None] = queue.Queue(WAITING + 1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._thread.start()

    def take(self, payload: bytes, answer: Answer) -> None:
        """Read an order and see that it is answered; returns soon.

        Args:
            payload: a message of the `commands` topic, whatever it is.
            answer: sends a reply; called on any thread.
        """
        try:
            command = decode(payload, Command)
        except MessageError as error:
            self._unreadable(payload, error, answer)
            return
        try:
            self._take(self._order(payload, command, answer))
        except CaptureRefused as refusal:
            _say(answer, self._refused(command.correlation_id, refusal), "")
        except AnsweredBefore as before:
            _log.info("command_answered_before")
            answer(before.reply)

    def stop(self, timeout_s: float = 5.0) -> None:
        """Refuse what waits and end, after the order at hand or after `timeout_s` seconds."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout_s)
        self._memory.close()

    # --- the network thread ---

    def _order(self, payload: bytes, command: Command, answer: Answer) -> _Order:
        name = self._permit.named(payload, command)
        arguments = read_arguments(name, command.arguments)
        return _Order(command, name, ACTIONS[name], arguments, answer)

    def _take(self, order: _Order) -> None:
        if order.action.at_once:
            self._answer(order, self._carried_out(order))
        elif not order.action.changes:
            self._permit.check_recorded(order.command)
            self._enqueue(order)
        elif self._memory.taken(order.command):
            try:
                self._permit.check_age(order.command)
                self._enqueue(order)
            except CaptureRefused:
                self._memory.forget(order.command)
                raise

    def _enqueue(self, order: _Order) -> None:
        if self._stopping.is_set():
            raise _stopping()
        if self._queue.qsize() >= WAITING:
            raise CaptureRefused(
                "too-many-commands",
                f"{WAITING} commands wait already.",
                "Wait for their replies, then send it again.",
            )
        self._queue.put(order)

    def _unreadable(self, payload: bytes, error: MessageError, answer: Answer) -> None:
        _log.error("message_refused", reason=error.reason, detail=str(error))
        correlation_id = _correlation_id(payload)
        if correlation_id is not None:
            refusal = CaptureRefused(error.reason, f"{error}.", "Correct what sends it.")
            _say(answer, self._refused(correlation_id, refusal), "")

    # --- the thread of its own ---

    def _run(self) -> None:
        while (order := self._queue.get()) is not None:
            if self._stopping.is_set():
                self._memory.forget(order.command)
                self._answer(order, self._refused(order.command.correlation_id, _stopping()))
            elif order.action.changes:
                self._memory.begin(order.command)
                reply = self._carried_out(order)
                self._memory.end(order.command, reply)
                self._answer(order, reply)
            else:
                self._answer(order, self._carried_out(order))

    def _carried_out(self, order: _Order) -> Reply:
        correlation_id = order.command.correlation_id
        try:
            done = order.action.carry_out(self._desk, order.arguments)
            return self._done(correlation_id, done)
        except CaptureRefused as refusal:
            return self._refused(correlation_id, refusal)
        except Exception:  # noqa: BLE001  # the next order must find this thread alive
            _log.exception("command_failed", command=order.name)
            return self._refused(correlation_id, _failed())

    def _done(self, correlation_id: str, done: Done) -> Reply:
        image = None if done.image is None else within(done.image, self._picture_bytes)
        return Reply(
            correlation_id=correlation_id,
            ok=True,
            result=dict(done.result),
            image=image,
            at=self._now(),
        )

    def _refused(self, correlation_id: str, refusal: CaptureRefused) -> Reply:
        return Reply(
            correlation_id=correlation_id,
            ok=False,
            reason=refusal.reason,
            detail=refusal.may_travel,
            at=self._now(),
        )

    def _answer(self, order: _Order, reply: Reply) -> None:
        _say(order.answer, reply, order.name)


def _say(answer: Answer, reply: Reply, name: str) -> None:
    """Log with the name of a command that there is, and never what else was written there."""
    _log.info("command", command=name or None, ok=reply.ok, reason=reply.reason or None)
    answer(reply)


class _Envelope(Struct):
    correlation_id: CorrelationId


def _correlation_id(payload: bytes) -> str | None:
    try:
        return decode(payload, _Envelope).correlation_id
    except MessageError:
        return None


def _stopping() -> CaptureRefused:
    return CaptureRefused(
        "station-stopping", "The station is shutting down.", "Send it again once it is back."
    )


def _interrupted() -> CaptureRefused:
    return CaptureRefused(
        "command-interrupted",
        "The station was restarted while it carried this out; how far it came is not known.",
        "Look at the station's state, then give a new order.",
    )


def _failed() -> CaptureRefused:
    return CaptureRefused(
        "command-failed",
        "The station's program failed on this command.",
        "Look into the station's log, and report it.",
    )
