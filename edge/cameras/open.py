"""Opens a camera by its name in settings, such as `folder:/path` or `simulator:7:ALL`."""

from collections.abc import Callable
from typing import Final, Literal

from edge.cameras.base import Camera, CameraError

SPECS: Final = (
    "simulator, simulator:SEED or simulator:SEED:ALL|AML|Normal; folder:PATH; "
    "opencv:NUMBER or opencv:/dev/videoN; picamera2 or picamera2:NUMBER"
)
"""What a camera may be called, for help texts."""

SmearKind = Literal["ALL", "AML", "Normal"]
_SMEARS: Final[dict[str, SmearKind]] = {"ALL": "ALL", "AML": "AML", "Normal": "Normal"}


def open_camera(spec: str) -> Camera:
    """Import the backend that `spec` names, and no other, and open its camera.

    Args:
        spec: see `SPECS`.

    Raises:
        CameraError: nothing is called so, or the camera cannot be opened.
    """
    backend = check_spec(spec)
    return _BACKENDS[backend](spec.partition(":")[2])


def check_spec(spec: str) -> str:
    """Name of the backend that `spec` asks for; nothing is opened.

    Raises:
        CameraError: there is none of that name.
    """
    backend = spec.partition(":")[0]
    if backend not in _BACKENDS:
        raise CameraError(f"no camera is called {spec!r}: take {SPECS}")
    return backend


def _folder(path: str) -> Camera:
    from edge.cameras.folder import FolderCamera

    if not path:
        raise CameraError("folder: names no folder: write folder:PATH")
    return FolderCamera(path)


def _opencv(device: str) -> Camera:
    from edge.cameras.opencv import OpenCVCamera

    return OpenCVCamera(int(device or 0) if device.isdecimal() or not device else device)


def _picamera2(number: str) -> Camera:
    from edge.cameras.picamera2 import PiCamera

    return PiCamera(_number(number or "0", f"picamera2:{number}"))


def _simulator(rest: str) -> Camera:
    from edge.cameras.simulator import SimulatorCamera

    if not rest:
        return SimulatorCamera()
    seed, _, kind = rest.partition(":")
    number = _number(seed, f"simulator:{rest}")
    if not kind:
        return SimulatorCamera(number)
    return SimulatorCamera(number, _smear(kind, f"simulator:{rest}"))


def _number(text: str, spec: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise CameraError(f"{text!r} in {spec!r} is not a number: take {SPECS}")
    return int(text)


def _smear(text: str, spec: str) -> SmearKind:
    if text not in _SMEARS:
        raise CameraError(f"{text!r} in {spec!r} is no kind of smear: take {SPECS}")
    return _SMEARS[text]


_BACKENDS: Final[dict[str, Callable[[str], Camera]]] = {
    "folder": _folder,
    "opencv": _opencv,
    "picamera2": _picamera2,
    "simulator": _simulator,
}
