"""The parts of a station put together: microscope, spool, desk, remote commands, agent."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from edge.agent import Agent, Hooks
from edge.cameras.base import Camera, CameraError
from edge.cameras.late import LateCamera
from edge.cameras.open import open_camera
from edge.capture import Capturer
from edge.commands.commands import Commands
from edge.desk import Desk
from edge.microscope import Microscope
from edge.settings import EdgeSettings
from edge.single import SenderLock
from edge.spool import Rescue, Spool, open_or_rescue, open_spool
from edge.stage.base import Stage, StageError
from edge.stage.open import open_stage
from edge.trouble import Troubles


@dataclass(frozen=True)
class Station:
    """An open station."""

    microscope: Microscope
    desk: Desk
    spool: Spool
    agent: Agent | None
    """None where another process of this station does the sending."""
    rescue: Rescue | None
    """What came of a damaged spool, where it was."""
    troubles: Troubles
    """What is wrong, for page, light and status message."""

    @property
    def capturer(self) -> Capturer:
        """Takes captures without the desk, for programs that only capture."""
        return self.desk.capturer

    def wake(self) -> None:
        """Send what was just saved."""
        if self.agent is not None:
            self.agent.wake()


@contextmanager
def open_station(
    settings: EdgeSettings,
    *,
    camera: Camera | None = None,
    hooks: Hooks | None = None,
    wait_to_send_s: float = 0.0,
    stop: threading.Event | None = None,
    attended: bool = True,
) -> Iterator[Station]:
    """Open camera and spool, and start the agent unless another process sends this spool.

    Args:
        settings: of this station.
        camera: opened already; closed with the station. None opens the one of the settings.
        hooks: for the agent.
        wait_to_send_s: how long to wait, in seconds, for another process to end its sending.
        stop: ends that wait.
        attended: a technician works here: the stage is opened, and remote commands are obeyed.
            False for a program that only captures.

    Raises:
        CameraError: the camera cannot be opened.
        SpoolError: the spool cannot be opened, or is damaged and another process sends it.
        ConnectionSetupError: the broker settings cannot work.
        CommandKeyError: the command key cannot be used.
        TopicError: site or device is no name.
    """
    troubles = Troubles()
    with ExitStack() as stack:
        lock = SenderLock(settings.data_dir / "sender.lock")
        sends = lock.take(wait_to_send_s, stop)
        stack.callback(lock.give)
        spool, rescue = _spool(settings, lock)
        stack.callback(spool.close)
        if camera is None:
            camera = open_camera(settings.camera)
        stage = _stage(settings, camera, troubles) if attended and sends else None
        microscope = Microscope(
            camera,
            stage,
            reopen=lambda: LateCamera(settings.camera),
            hang_s=settings.camera_hang_s,
        )
        stack.callback(microscope.close)
        desk = Desk(settings, microscope, spool, troubles)
        stack.callback(desk.close)
        agent = None
        if sends:
            commands = Commands(settings, desk) if attended else None
            agent = Agent(
                settings,
                spool,
                camera_name=lambda: microscope.name,
                obey=None if commands is None else commands.take,
                hooks=desk.hooks(hooks),
                troubles=troubles,
            )
            _tell_rescue(rescue, troubles)
            desk.attach(agent)
            agent.start()
            stack.callback(agent.stop)
            if commands is not None:
                stack.callback(commands.stop)
        yield Station(microscope, desk, spool, agent, rescue, troubles)


def _spool(settings: EdgeSettings, lock: SenderLock) -> tuple[Spool, Rescue | None]:
    """The spool; whoever holds the lock rescues it first where it is damaged."""
    if lock.held:
        return open_or_rescue(settings.spool_file, lock, settings.min_free_mb)
    return open_spool(settings.spool_file, settings.min_free_mb), None


def _stage(settings: EdgeSettings, camera: Camera, troubles: Troubles) -> Stage | None:
    """The stage, or none and a trouble: captures go on without one."""
    try:
        return open_stage(settings.stage, camera, settings.stage_serial)
    except (StageError, CameraError) as error:
        troubles.note(
            "stage-failed",
            "The stage cannot be opened: neither autofocus nor scan until the next start.",
            error,
            remedy="Check its plug, power and name in the settings, then restart the station.",
        )
        return None


def _tell_rescue(rescue: Rescue | None, troubles: Troubles) -> None:
    if rescue is None:
        return
    salvaged = f"{rescue.salvaged} frames salvaged, {rescue.damaged} not"
    troubles.note(
        "spool-rescued",
        f"the spool was damaged: {salvaged}; not all of it could be looked through yet"
        if rescue.unfinished
        else f"the spool was damaged: {salvaged}",
        f"{rescue.cause} {rescue.unfinished}; the damaged files lie in "
        + ", ".join(str(folder) for folder in rescue.quarantines),
        remedy=_RESCUE_GOES_ON if rescue.unfinished else _RESCUED,
    )


_RESCUED: Final = (
    "Tell whoever runs the station: its disk may be failing. The log names where the damaged files "
    "lie."
)
_RESCUE_GOES_ON: Final = (
    "Free the station's disk, then restart the station: it goes on salvaging. Tell whoever runs "
    "it: its disk may be failing. The log names where the damaged files lie."
)
