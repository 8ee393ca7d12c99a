"""The Sangaboard's serial protocol: the motor board of the OpenFlexure microscope.

Lines of ASCII, 115200 baud, 8N1; steps, not lengths; docs/decisions/016 names the firmware that was
read. Firmware 0.4, 0.5 and 1.x are spoken to, always with moves that answer when they are over.
"""

import math
import re
import time
from typing import Final

from edge.stage.base import StageError
from edge.stage.port import LinePort

Steps = tuple[int, int, int]
"""Of the motors x, y, z."""

HANDSHAKE_S: Final = 8.0
"""An Arduino restarts when its port is opened, and its boot loader waits up to 2 s; twice that,
and as long again for a busy machine."""

_ANSWER_S: Final = 2.0
_SLACK: Final = 1.5
"""A move may take so many times what its steps and ramps do."""

_VERSION: Final = re.compile(r"(?:Sangaboard Firmware|OpenFlexure Motor Board) v(\d+)\.(\d+)")
_SUPPORTED: Final = ((0, 4), (0, 5), (1, 0))
_REFUSALS: Final = ("Error", "Bad command", "Invalid command", "Command not recognised", "Type 'h")
_MOVED: Final = ("done", "stopped")
"""`done.` of firmware 0.x and 1.0; `stopped` of the betas of 1.0."""


class BoardRestarted(StageError):  # noqa: N818  # what happened, not what is wrong in here
    """The board greeted in place of answering: its power failed, or it was reset."""


class EndStop(StageError):  # noqa: N818  # as it is called on the machine
    """An end stop was hit."""


class Sangaboard:
    """A board that was asked who it is.

    Args:
        port: opened; the board's to close.

    Raises:
        StageError: what is there is no Sangaboard, or of an unknown firmware.
    """

    def __init__(self, port: LinePort) -> None:
        self._port = port
        self.firmware = self._greet()
        if self.firmware[0] >= 1:
            self._done("blocking_moves true")
        self.step_s = self._number("dt?") / 1e6
        self.ramp_s = self._number("ramp_time?") / 1e6

    def position(self) -> Steps:
        """Where the board counts itself to be."""
        answer = self._ask("p?")
        parts = answer.split()
        try:
            x, y, z = (int(part) for part in parts)
        except ValueError:
            raise _not_understood("p?", answer) from None
        return x, y, z

    def move(self, steps: Steps) -> None:
        """Move by so many steps, in a straight line; returns when the motors stand.

        Raises:
            EndStop: an end stop was hit (told by firmware 1.x; 0.x only falls short).
            StageError: the board refused, or did not answer in time.
        """
        command = f"mr {steps[0]} {steps[1]} {steps[2]}"
        self._port.send(command)
        hit = ""
        for answer in self._lines(command, _SLACK * self.duration_s(steps) + _ANSWER_S):
            if answer.startswith("Endstop hit"):
                hit = answer
            elif answer.startswith(_MOVED):
                break
            elif not hit:  # after a hit, debugging builds say more
                raise _not_understood(command, answer)
        if hit:
            raise EndStop(
                f"the stage ran into an end stop ({hit}): move it back by hand or choose a smaller "
                "area, and check low_um and high_um of stage_serial in the settings"
            )

    def duration_s(self, steps: Steps) -> float:
        """What a move takes: the longest axis at full speed, and its ramps."""
        return max(abs(step) for step in steps) * self.step_s + self.ramp_s

    def most_steps(self, seconds: float) -> int:
        """Steps of the longest move that takes so long; half of it is left to the ramps."""
        at_speed_s = max(seconds - self.ramp_s, seconds / 2)
        return max(1, math.floor(at_speed_s / max(self.step_s, 1e-6)))

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _greet(self) -> tuple[int, int]:
        """Ask for the version until the board has started."""
        until = time.monotonic() + HANDSHAKE_S
        heard = ""
        while time.monotonic() < until:
            self._port.send("version")
            answer = self._port.receive(1.0)
            if answer and (match := _VERSION.match(answer)):
                version = int(match[1]), int(match[2])
                self._settle()
                return self._known(version, answer)
            heard = answer or heard
        raise StageError(
            f"no Sangaboard answers ({f'{heard!r} came instead' if heard else 'nothing came'}): "
            "check its power and that stage names its port (ls -l /dev/serial/by-id)"
        )

    def _known(self, version: tuple[int, int], answer: str) -> tuple[int, int]:
        if version not in _SUPPORTED:
            known = ", ".join(f"{major}.{minor}" for major, minor in _SUPPORTED)
            raise StageError(
                f"the stage says {answer!r}, a firmware that is not known here ({known} are): "
                "flash one of those"
            )
        return version

    def _settle(self) -> None:
        """A starting board greets and then answers the questions that waited: let all that pass."""
        while self._port.receive(0.1) is not None:
            pass

    def _ask(self, command: str) -> str:
        self._port.send(command)
        return next(self._lines(command, _ANSWER_S))

    def _number(self, command: str) -> int:
        answer = self._ask(command)
        match = re.search(r"(\d+)$", answer)
        if match is None:
            raise _not_understood(command, answer)
        return int(match[1])

    def _done(self, command: str) -> None:
        answer = self._ask(command)
        if not answer.startswith("done"):
            raise _not_understood(command, answer)

    def _lines(self, command: str, within_s: float) -> "_Lines":
        return _Lines(self._port, command, within_s)


class _Lines:
    """Answers to a command, until its time is over."""

    def __init__(self, port: LinePort, command: str, within_s: float) -> None:
        self._port, self._command = port, command
        self._within_s = within_s
        self._until = time.monotonic() + within_s

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        answer = self._port.receive(self._until - time.monotonic())
        if answer is None:
            raise StageError(
                f"the stage did not answer {self._command!r} within {self._within_s:.1f} s: check "
                "that its motors have power, then move again"
            )
        if _VERSION.match(answer):
            raise BoardRestarted(
                f"the stage's board restarted during {self._command!r}: check its power supply, "
                "then move again"
            )
        if answer.startswith(_REFUSALS):
            raise StageError(f"the stage refused {self._command!r}: {answer}")
        return answer


def _not_understood(command: str, answer: str) -> StageError:
    return StageError(
        f"the stage answered {command!r} with {answer!r}, which no known firmware does: check the "
        "cable, or flash a known firmware"
    )
