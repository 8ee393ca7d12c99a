"""Carries remote commands out. What a device does not know or may not do, it refuses."""

from datetime import UTC, datetime

from edge.agent import refuse_command
from edge.cameras.base import CameraExhausted
from edge.capture import Capturer
from edge.refusal import CaptureRefused
from wire.messages import Command, Reply
from wire.topics import TopicError, checked_name


class Commands:
    """`ping` and `capture` (argument `slide`: a slide token, never an accession number).

    Args:
        capturer: takes the captures.
    """

    def __init__(self, capturer: Capturer) -> None:
        self._capturer = capturer

    def __call__(self, command: Command) -> Reply:
        """Carry out, or refuse with a reason."""
        if command.command == "ping":
            return _done(command)
        if command.command == "capture":
            return self._capture(command)
        return refuse_command(
            command, "unknown-command", f"no command {command.command!r}: there are ping, capture"
        )

    def _capture(self, command: Command) -> Reply:
        try:
            slide = checked_name(str(command.arguments.get("slide", "")), "slide")
            saved = self._capturer.capture(slide)
        except TopicError as error:
            return refuse_command(command, "slide-invalid", str(error))
        except CaptureRefused as refusal:
            return refuse_command(command, refusal.reason, refusal.may_travel)
        except CameraExhausted:
            return refuse_command(
                command, "camera-failed", "The camera has no further picture to replay."
            )
        return _done(command, capture_id=saved.frame.capture_id)


def _done(command: Command, **result: str) -> Reply:
    return Reply(
        correlation_id=command.correlation_id, ok=True, result={**result}, at=datetime.now(UTC)
    )
