"""A stage on a serial port: a Sangaboard, in µm, with limits, without play."""

import math
import threading
from typing import Final

import structlog

from edge.stage.base import Place, StageError
from edge.stage.port import LinePort, PortLost
from edge.stage.sangaboard import BoardRestarted, Sangaboard, Steps
from edge.stage.settings import AXES, SerialStageSettings

HOP_S: Final = 0.7
"""A long way is gone in hops of this length, so that `halt` is heard within a second whatever the
firmware (0.x does not listen while it moves). Shorter ones would wear the EEPROM that 0.x notes
its place in after every move."""

_log = structlog.get_logger("edge.stage")


class SerialStage:
    """Moves x, y and z in a straight line, and comes to each place from below. Thread-safe.

    A board that was unplugged or restarted is opened again at the next move. One that keeps its
    place over that is believed; one that has forgotten it counts from 0, and the place it had is
    kept here, as the gears hold it.

    Args:
        device: such as `/dev/ttyACM0`.
        settings: how long a step is, how far it may go.

    Raises:
        StageError: it cannot be opened, or is no Sangaboard.
    """

    def __init__(self, device: str, settings: SerialStageSettings | None = None) -> None:
        self.name = f"serial:{device}" if device.startswith("/dev/") else "serial"
        self._device = device
        self._settings = settings or SerialStageSettings()
        self._lock = threading.RLock()
        self._halted = threading.Event()
        self._closed = False
        self._offset: Steps = (0, 0, 0)
        self._board: Sangaboard | None = Sangaboard(LinePort(device))
        self._count: Steps = self._board.position()
        self._forgot = self._count == (0, 0, 0)

    @property
    def place(self) -> Place:
        """Where it came to last, in µm from the board's zero."""
        with self._lock:
            steps = _plus(self._count, self._offset)
            return Place(*(s * um for s, um in zip(steps, self._settings.um_per_step, strict=True)))

    @property
    def forgot(self) -> bool:
        """Whether the board counts from 0 since it was opened: it was zeroed, or lost its place."""
        return self._forgot

    def believe(self, place: Place) -> None:
        """Take it that the stage stands at `place`; nothing moves."""
        with self._lock:
            self._offset = _minus(self._steps(place), self._count)
            self._forgot = False

    def move_to(self, place: Place) -> None:
        """Go there.

        Raises:
            StageError: it is beyond a limit, the board failed, an end stop was hit, or `halt` was
                called on the way.
        """
        with self._lock:
            self._check(place)
            self._halted.clear()
            board = self._opened()
            target = _minus(self._steps(place), self._offset)
            try:
                for leg in self._legs(target):
                    self._go(board, leg)
                self._arrived(board, target)
            except (PortLost, BoardRestarted):
                self._drop()
                raise
            except StageError:
                self._learn_count(board)
                raise

    def halt(self) -> None:
        """Stop a move that is under way, from another thread; it ends with a StageError."""
        self._halted.set()

    def close(self) -> None:
        """Give the port back."""
        with self._lock:
            self._closed = True
            self._drop()

    def _check(self, place: Place) -> None:
        if self._closed:
            raise StageError("the stage is closed: open it again")
        limits = zip(
            AXES, _values(place), self._settings.low_um, self._settings.high_um, strict=True
        )
        for axis, value, low, high in limits:
            if not low <= value <= high:
                raise StageError(
                    f"{axis} = {value:.1f} µm is beyond the stage's limits ({low:g} to {high:g}): "
                    "choose a nearer area, or correct low_um and high_um of stage_serial in the "
                    "settings"
                )

    def _steps(self, place: Place) -> Steps:
        x, y, z = (
            round(value / um)
            for value, um in zip(_values(place), self._settings.um_per_step, strict=True)
        )
        return x, y, z

    def _opened(self) -> Sangaboard:
        if self._board is None:
            self._board = Sangaboard(LinePort(self._device))
            count = self._board.position()
            forgot = count == (0, 0, 0) and self._count != count
            if forgot:
                self._offset = _plus(self._offset, self._count)
            self._count = count
            if forgot:
                _log.warning("stage_forgot_its_place", kept=str(self.place))
        return self._board

    def _legs(self, target: Steps) -> list[Steps]:
        """The target, and before it a place below it on each axis that comes from above."""
        x, y, z = (self._below(axis, target[axis]) for axis in range(len(AXES)))
        return [target] if (x, y, z) == target else [(x, y, z), target]

    def _below(self, axis: int, target: int) -> int:
        """The count from which one axis comes to its target; no lower than its limit."""
        um = self._settings.um_per_step[axis]
        if (target - self._count[axis]) * um >= 0:
            return target
        room_um = (target + self._offset[axis]) * um - self._settings.low_um[axis]
        play_um = min(self._settings.backlash_um[axis], max(0.0, room_um))
        return target - round(play_um / um)

    def _go(self, board: Sangaboard, target: Steps) -> None:
        way = _minus(target, self._count)
        start = self._count
        hops = math.ceil(max(abs(steps) for steps in way) / board.most_steps(HOP_S))
        for hop in range(1, hops + 1):
            if self._halted.is_set():
                raise StageError("the stage was told to stop on its way")
            x, y, z = (s + round(w * hop / hops) for s, w in zip(start, way, strict=True))
            board.move(_minus((x, y, z), self._count))
            self._count = (x, y, z)

    def _arrived(self, board: Sangaboard, target: Steps) -> None:
        """Firmware 0.x answers `done` when an end stop broke the move off, too."""
        counted = board.position()
        if counted != target:
            raise StageError(
                f"the stage stopped at {counted} steps, short of {target}: an end stop, or it was "
                "moved by another program; move it back and check low_um and high_um of "
                "stage_serial in the settings"
            )

    def _learn_count(self, board: Sangaboard) -> None:
        """After a failure: ask where the board is; when it cannot tell, open it anew next time."""
        try:
            self._count = board.position()
        except StageError as error:
            _log.warning("stage_silent", error=str(error))
            self._drop()

    def _drop(self) -> None:
        if self._board is not None:
            self._board.close()
            self._board = None


def _values(place: Place) -> tuple[float, float, float]:
    return place.x, place.y, place.z


def _plus(one: Steps, other: Steps) -> Steps:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _minus(one: Steps, other: Steps) -> Steps:
    return one[0] - other[0], one[1] - other[1], one[2] - other[2]
