"""The agent: sends what the spool holds, takes receipts in, tells its state, obeys commands."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import structlog

from edge.checks import Checks
from edge.clock import ClockCheck
from edge.outbox import Outbox
from edge.settings import EdgeSettings
from edge.spool import Spool, SpoolError
from edge.status import StatusMessage
from edge.trouble import Troubles
from wire import topics
from wire.codec import MessageError, decode, encode
from wire.connection import Callbacks, Connection, Delivery, PayloadTooLargeError, Publication
from wire.messages import Command, FrameResult, Receipt, Reply

_POLL_S: Final = 0.5
"""How soon the agent sees what another process of this station saved, in seconds."""

_WIDEN: Final = {
    "frames-denied": "Let this station write the topic. Captures stay saved here meanwhile.",
    "results-denied": "Let this station read the topic; until then results are not shown here.",
}

_log = structlog.get_logger("edge.agent")

Obey = Callable[[bytes, Callable[[Reply], None]], None]
"""Takes a message of the `commands` topic and what sends a reply; returns soon, answers later."""


@dataclass(frozen=True)
class Hooks:
    """What the agent's owner wants to see, on the agent's threads."""

    sent: Callable[[str, int], None] = field(default=lambda _capture_id, _times: None)
    settled: Callable[[Receipt], None] = field(default=lambda _receipt: None)
    result: Callable[[FrameResult], None] = field(default=lambda _result: None)
    changed: Callable[[], None] = field(default=lambda: None)
    """The broker came or went, or what is wrong has changed."""


class Agent:
    """One per spool. `start`, call `wake` after each save, `stop`.

    Args:
        settings: of this station.
        spool: opened; stays the caller's to close.
        camera_name: for the status message; or what tells it, where it is learned later.
        obey: takes commands; None refuses all.
        hooks: see there.
        clock: compares the station's clock with the receipts'; None for one of its own.
        troubles: of the whole station; None for some of its own.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        spool: Spool,
        *,
        camera_name: str | Callable[[], str] = "",
        obey: Obey | None = None,
        hooks: Hooks | None = None,
        clock: ClockCheck | None = None,
        troubles: Troubles | None = None,
    ) -> None:
        self._settings = settings
        self._spool = spool
        self._obey = obey
        self._hooks = hooks or Hooks()
        self._outbox = Outbox(settings.resend_after_s, settings.resend_max_s)
        self._retry_mark = spool.retry_mark()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self.troubles = Troubles() if troubles is None else troubles
        """What is wrong, as the status message says it."""
        self._message = StatusMessage(settings, spool, self.troubles, camera_name)
        self._checks = Checks(settings.broker.cert_file, self.troubles, clock)
        self._shown_trouble = self._told_trouble = ""
        self._status_due = 0.0
        self._broker_away = ""
        self._topics = {
            channel: topics.device(settings.site, settings.device, channel)
            for channel in ("frames", "receipts", "status", "commands", "replies")
        }
        self._topics["results"] = topics.results(settings.site, settings.device)
        self._connection = Connection(
            settings.broker,
            f"leukoscope-{settings.site}-{settings.device}",
            subscriptions=[self._topics[name] for name in ("receipts", "commands", "results")],
            callbacks=Callbacks(self._arrived, self._broker_said, self._broker_refused),
            will=self._message.will(),
        )
        self._thread = threading.Thread(target=self._run, name="agent", daemon=True)

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        return self._connection.connected

    @property
    def broker_problem(self) -> str:
        """Why the broker is away; empty when it is there."""
        return "" if self.connected else self._broker_away or "not connected yet"

    @property
    def clock_problem(self) -> str:
        """What is wrong with the station's clock; empty when nothing is known to be."""
        return self._checks.clock_problem

    @property
    def certificate_problem(self) -> str:
        """What is wrong with the certificate for the broker; empty when all is well."""
        return self._checks.certificate_problem

    def start(self) -> None:
        """Connect and send, on threads of its own."""
        self._connection.start()
        self._thread.start()

    def wake(self) -> None:
        """Something was saved: send it now rather than at the next look."""
        self._wake.set()

    def stop(self) -> None:
        """Say goodbye and stop; what has no receipt stays in the spool."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._connection.stop(self._message.now("offline"))

    # --- the agent's own thread ---

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait(_POLL_S)
            self._wake.clear()
            try:
                self._send_due()
            except SpoolError as error:
                self.troubles.note(
                    "spool-unreadable",
                    "the spool cannot be read: see the log there",
                    error,
                    remedy="Restart the station: it puts a damaged spool aside, its frames saved.",
                )
            else:
                self.troubles.over("spool-unreadable")
            self._checks.look()
            self._tell_status()

    def _tell_status(self) -> None:
        """Publish the status when its time has come, and at once when what is wrong changes."""
        now, trouble = time.monotonic(), str(self.troubles)
        if trouble != self._shown_trouble:
            self._shown_trouble = trouble
            self._hooks.changed()
        if self.connected and (now >= self._status_due or trouble != self._told_trouble):
            self._status_due, self._told_trouble = now + self._settings.status_every_s, trouble
            self._connection.publish(self._message.now("online"))

    def _send_due(self) -> None:
        mark = self._spool.retry_mark()
        if mark != self._retry_mark:
            self._retry_mark = mark
            self._outbox.send_all_again()
        for capture_id in self._outbox.due(self._spool.waiting(self._settings.window)):
            if not self.connected or self._stopping.is_set():
                return
            self._send(capture_id)

    def _send(self, capture_id: str) -> None:
        payload = self._spool.payload(capture_id)
        if payload is None:
            return
        try:
            self._connection.publish(Publication(self._topics["frames"], payload))
        except PayloadTooLargeError as error:
            self._settle(_refused_here(capture_id, "payload-too-large", str(error)))
            return
        self._checks.sent(capture_id)
        times = self._outbox.sent(capture_id)
        if times > 1:
            _log.info("frame_resent", capture_id=capture_id, times=times)
        self._hooks.sent(capture_id, times)

    # --- paho's network thread ---

    def _arrived(self, delivery: Delivery) -> None:
        try:
            if delivery.topic == self._topics["receipts"]:
                self._settle(decode(delivery.payload, Receipt))
            elif delivery.topic == self._topics["commands"]:
                self._command(delivery.payload)
            elif delivery.topic == self._topics["results"]:
                self._hooks.result(decode(delivery.payload, FrameResult))
        except MessageError as error:
            # A receipt we cannot read is not lost: the frame is sent again and receipted again.
            _log.error(
                "message_refused", topic=delivery.topic, reason=error.reason, detail=str(error)
            )
        except SpoolError as error:
            self.troubles.note(
                "receipt-not-noted",
                "a receipt cannot be noted in the spool: see the log there",
                error,
                remedy="Free the station's disk. The frame is sent again; nothing is stored twice.",
            )

    def _settle(self, receipt: Receipt) -> None:
        self._checks.receipted(receipt)
        capture_id = self._spool.settle(receipt)
        self.troubles.over("receipt-not-noted")
        self.troubles.over("frames-denied")
        if capture_id is None:
            return
        if receipt.outcome == "refused":
            self.troubles.note(
                "frames-refused",
                f"capture {capture_id} was refused ({receipt.reason}): {receipt.detail}",
                remedy="Put it right, then `leukoscope-edge spool retry`, or export the frame.",
            )
        _log.info(
            "frame_settled",
            capture_id=capture_id,
            outcome=receipt.outcome,
            reason=receipt.reason or None,
        )
        self._hooks.settled(receipt)
        self.wake()

    def _command(self, payload: bytes) -> None:
        if self._obey is None:
            command = decode(payload, Command)
            self._answer(refuse_command(command, "no-commands", "this agent takes no commands"))
        else:
            self._obey(payload, self._answer)

    def _answer(self, reply: Reply) -> None:
        """On any thread."""
        self._connection.publish(Publication(self._topics["replies"], encode(reply)))

    def _broker_said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        if connected:
            _log.info("broker_connected")
            self.troubles.over("broker-denied")
            self.troubles.over("results-denied")
            self._status_due = 0.0
            self.wake()
        elif reason != self._broker_away and not self._stopping.is_set():  # once, not every try
            _log.warning("broker_away", reason=reason)
        self._broker_away = "" if connected else reason
        self._hooks.changed()

    def _broker_refused(self, topic: str, reason: str) -> None:
        code = {
            self._topics["frames"]: "frames-denied",
            self._topics["results"]: "results-denied",
        }.get(topic, "broker-denied")
        self.troubles.note(
            code,
            f"the broker refused {topic} ({reason}): check its access list",
            remedy=_WIDEN.get(code, "Let this station use the topic. Captures stay saved here."),
        )


def _refused_here(capture_id: str, reason: str, detail: str) -> Receipt:
    """A refusal of our own, for a frame that can never be sent as it is."""
    return Receipt(
        capture_id=capture_id,
        outcome="refused",
        reason=reason,
        detail=detail,
        at=datetime.now(UTC),
    )


def refuse_command(command: Command, reason: str, detail: str) -> Reply:
    """The reply to a command that is not carried out."""
    return Reply(
        correlation_id=command.correlation_id,
        ok=False,
        reason=reason,
        detail=detail,
        at=datetime.now(UTC),
    )
