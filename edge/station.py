"""The parts of a station put together: camera, spool, capturer, agent."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from edge.agent import Agent, Hooks
from edge.cameras.base import Camera
from edge.cameras.open import open_camera
from edge.capture import Capturer
from edge.commands_before import Commands
from edge.settings import EdgeSettings
from edge.single import SenderLock
from edge.spool import Rescue, Spool, open_spool


@dataclass(frozen=True)
class Station:
    """An open station."""

    capturer: Capturer
    spool: Spool
    agent: Agent | None
    """None where another process of this station does the sending."""
    rescue: Rescue | None
    """What came of a damaged spool, where it was."""

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
) -> Iterator[Station]:
    """Open camera and spool, and start the agent unless another process sends this spool.

    Args:
        settings: of this station.
        camera: opened already, and the caller's to close; None opens the one of the settings.
        hooks: for the agent.
        wait_to_send_s: how long to wait, in seconds, for another process to end its sending.
        stop: ends that wait.

    Raises:
        CameraError: the camera cannot be opened.
        SpoolError: the spool cannot be opened.
        ConnectionSetupError: the broker settings cannot work.
        TopicError: site or device is no name.
    """
    with ExitStack() as stack:
        lock = SenderLock(settings.data_dir / "sender.lock")
        sends = lock.take(wait_to_send_s, stop)
        stack.callback(lock.give)
        spool, rescue = open_spool(settings.spool_file, settings.min_free_mb)
        stack.callback(spool.close)
        if camera is None:
            camera = open_camera(settings.camera)
            stack.callback(camera.close)
        capturer = Capturer(settings, camera, spool)
        agent = None
        if sends:
            agent = Agent(
                settings, spool, camera_name=camera.name, obey=Commands(capturer), hooks=hooks
            )
            if rescue is not None:
                agent.troubles.note(
                    "rescue",
                    f"the spool was damaged: {rescue.salvaged} frames salvaged, "
                    f"{rescue.damaged} not",
                    f"{rescue.cause}; the damaged files lie in {rescue.quarantine}",
                )
            agent.start()
            stack.callback(agent.stop)
        yield Station(capturer, spool, agent, rescue)
