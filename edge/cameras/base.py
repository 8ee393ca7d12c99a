"""What a camera is to the agent, whatever it is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from imaging.box import Box
from imaging.types import Image


class CameraError(RuntimeError):
    """The camera cannot give a frame. The message says what happened and what to do.

    Args:
        message: for the person who called; may name a file.
        told: the same for log, page and status, where the message names a file or a folder, which
            may be called after a patient.
    """

    def __init__(self, message: str, *, told: str = "") -> None:
        super().__init__(message)
        self.told = told or message


class CameraExhausted(CameraError):  # noqa: N818  # an end, like StopIteration, not a fault
    """A replayed folder has no further image."""


@dataclass(frozen=True)
class TrueCell:
    """A cell that the simulator drew: ground truth, which never leaves the station."""

    box: Box
    kind: str
    """Such as `lymphoblast` or `neutrophil`."""
    label: Literal["ALL", "AML", "Normal"]


@dataclass(frozen=True)
class Shot:
    """One picture as the camera gave it."""

    image: Image
    metadata: Mapping[str, str | int | float] = field(default_factory=dict)
    """Exposure, gain, stage position, file name, …: kept at the station."""
    truth: tuple[TrueCell, ...] | None = None
    """Only the simulator knows."""


class Camera(Protocol):
    """A source of fields. Opened by its constructor; `close` gives the device back."""

    @property
    def name(self) -> str:
        """Backend and device, such as `simulator:7`: travels in the frame message."""
        ...

    def capture(self) -> Shot:
        """Take one picture, newer than this call.

        Raises:
            CameraExhausted: there is no further picture, and none will come.
            CameraError: there is none now; a later call may work.
        """
        ...

    def close(self) -> None:
        """Give the device back. May be called twice."""
        ...


@runtime_checkable
class Previews(Protocol):
    """A camera that also shows what it sees, many times a second. Optional."""

    def preview(self) -> Image:
        """A picture for the eye, about 640 pixels wide: uint8, H×W×3, RGB.

        Never advances a slide, a file or a folder: the next `capture` takes what is shown.

        Raises:
            CameraError: there is none now; a later call may work.
        """
        ...


@dataclass(frozen=True)
class Adjustment:
    """What is to be held from now on; None leaves it as it is."""

    exposure_us: int | None = None
    """Exposure time in microseconds."""
    gain: float | None = None
    """Of the sensor, 1 upwards."""
    colour_gains: tuple[float, float] | None = None
    """Of red and blue."""


@runtime_checkable
class Adjusts(Protocol):
    """A camera whose exposure and colours can be set. Optional."""

    def adjust(self, adjustment: Adjustment) -> None:
        """Hold these from the next picture on.

        Raises:
            CameraError: the camera does not take them; nothing has changed.
        """
        ...


@runtime_checkable
class Repeats(Protocol):
    """A camera whose `capture` goes on to another field, and which can photograph one again."""

    def again(self) -> Shot:
        """Another picture of the field that `capture` took last.

        Raises:
            CameraError: there is none.
        """
        ...
