"""A camera on a thread of its own, so that one which hangs holds nobody else up."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

import structlog

from edge.cameras.base import Camera, CameraError

Given = TypeVar("Given")
Seen = TypeVar("Seen", bound=Camera)

_log = structlog.get_logger("edge.watched")


class CameraHungError(CameraError):
    """The camera did not answer in time; this object will not ask it again."""


class Watched(Generic[Seen]):
    """Asks a camera, and gives up on it when it does not answer.

    Python cannot end a thread that waits inside a driver. It is left behind; should the driver
    ever answer, the camera is closed there, and so given back.

    Args:
        camera: opened; closed by `close`.
        hang_s: seconds in which a picture must come.
    """

    def __init__(self, camera: Seen, hang_s: float) -> None:
        self.camera = camera
        self._hang_s = hang_s
        self._hung = False
        self._jobs: SimpleQueue[tuple[Callable[[Seen], Any], Future[Any]] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)
        self._thread.start()

    def ask(self, job: Callable[[Seen], Given]) -> Given:
        """Do something with the camera on its thread; one caller at a time.

        Raises:
            CameraHungError: it did not come back in time.
            CameraError: what the camera says.
        """
        if self._hung:
            raise CameraHungError(self._sentence())
        future: Future[Given] = Future()
        self._jobs.put((job, future))
        try:
            return future.result(self._hang_s)
        except Late as error:
            if future.done():  # at the last moment; or a TimeoutError of the camera's own
                return future.result()
            self._hung = True
            self._jobs.put(None)
            _log.error("camera_hung", camera=self.camera.name, seconds=self._hang_s)
            raise CameraHungError(self._sentence()) from error

    def close(self, timeout_s: float = 3.0) -> None:
        """Give the camera back; one that hangs is left behind."""
        self._jobs.put(None)
        self._thread.join(0.0 if self._hung else timeout_s)

    def _run(self) -> None:
        while (work := self._jobs.get()) is not None:
            job, future = work
            try:
                future.set_result(job(self.camera))
            except BaseException as error:  # noqa: BLE001  # raised again where it was asked for
                future.set_exception(error)
        with contextlib.suppress(CameraError):  # nobody is left to be told
            self.camera.close()

    def _sentence(self) -> str:
        return (
            f"the camera {self.camera.name} gave no picture within {self._hang_s:g} s and is being "
            "opened again: if that does not help, pull its plug and push it in"
        )
