"""A serial port that speaks in lines: one question, its answer, each within its time."""

import contextlib
import termios
import time
from typing import Final

import serial

from edge.stage.base import StageError

BAUD: Final = 115_200

_POLL_S: Final = 0.05
_WRITE_S: Final = 2.0
_LONGEST_LINE: Final = 512

_FAILURES: Final = (OSError, termios.error)
"""What an unplugged port raises: SerialException is an OSError, termios' own error is none."""


class PortLost(StageError):  # noqa: N818  # tells apart a cable from a motor
    """The port is gone: unplugged, or taken away."""


class LinePort:
    """Opens a serial port for this program alone.

    Args:
        device: such as `/dev/ttyACM0`.

    Raises:
        StageError: it is not there, may not be used, or is in use.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        try:
            self._serial = serial.Serial(
                device, BAUD, timeout=_POLL_S, write_timeout=_WRITE_S, exclusive=True
            )
        except (*_FAILURES, ValueError) as error:
            raise StageError(
                f"cannot open the stage at {device} ({_cause(error)}): check its plug and power, "
                "that no other program has it, and that this user is in group dialout"
            ) from error

    def send(self, line: str) -> None:
        """Forget what came unasked and send a line.

        Raises:
            PortLost: it is gone.
        """
        try:
            self._serial.reset_input_buffer()
            self._serial.write(f"{line}\n".encode("ascii"))
        except _FAILURES as error:
            raise self._lost(error) from error

    def receive(self, within_s: float) -> str | None:
        """The next line that is not empty, without its end; None when none came in time.

        Raises:
            PortLost: it is gone.
            StageError: what comes are no lines.
        """
        until = time.monotonic() + within_s
        line = b""
        while time.monotonic() < until:
            try:
                line += self._serial.read_until(b"\n", _LONGEST_LINE)
            except _FAILURES as error:
                raise self._lost(error) from error
            if line.endswith(b"\n"):
                if text := line.decode("ascii", "replace").strip():
                    return text
                line = b""
            elif len(line) >= _LONGEST_LINE:
                raise StageError(
                    f"{self._device} sends no lines of text: is it the stage, and not another "
                    "device? (ls -l /dev/serial/by-id names them)"
                )
        return None

    def close(self) -> None:
        """Give the port back. May be called twice."""
        with contextlib.suppress(*_FAILURES):  # a port that was unplugged is closed already
            self._serial.close()

    def _lost(self, error: Exception) -> PortLost:
        return PortLost(
            f"the stage at {self._device} is gone ({_cause(error)}): plug it in again; it is "
            "opened anew at the next move"
        )


def _cause(error: Exception) -> str:
    number = getattr(error, "strerror", None)
    return str(number or error)
