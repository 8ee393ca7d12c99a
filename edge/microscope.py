"""The microscope: camera and stage behind one lock, watched, its pictures corrected."""

from collections.abc import Callable
from typing import Protocol

from edge.cameras.base import Camera, Shot
from edge.stage.base import Stage
from imaging.types import Image


class Corrects(Protocol):
    """What a calibration does: `edge.calibration.Correction`."""

    def apply(self, image: Image) -> Image:
        """White balance and flat field; uint8, H×W×3, RGB, of the same size."""
        ...


class Microscope:
    """A camera (it satisfies `edge.cameras.base.Camera`) that may have a stage. Thread-safe.

    SKELETON: the bodies follow within the hour; the names and types stay.

    Args:
        camera: opened; the microscope's to close.
        stage: None without one.
        correction: of a calibration; may be set later.
        reopen: opens the camera again after it hung.
        hang_s: seconds after which a picture counts as hung.
    """

    def __init__(
        self,
        camera: Camera,
        stage: Stage | None = None,
        *,
        correction: Corrects | None = None,
        reopen: Callable[[], Camera] | None = None,
        hang_s: float = 20.0,
    ) -> None:
        self.name = camera.name
        self.stage = stage
        self.correction = correction
        self.camera_problem = ""

    def capture(self) -> Shot:
        """A corrected picture, newer than this call.

        Raises:
            CameraError: there is none; the camera hung, is gone, or is being opened again.
        """
        raise NotImplementedError

    def again(self) -> Shot:
        """Another corrected picture of the field that `capture` took last."""
        raise NotImplementedError

    def raw(self) -> Shot:
        """An uncorrected picture of the field in view, for calibration."""
        raise NotImplementedError

    def preview(self) -> Image:
        """Corrected, at most 640 wide; never advances a slide."""
        raise NotImplementedError

    def close(self) -> None:
        """Give camera and stage back."""
        raise NotImplementedError
