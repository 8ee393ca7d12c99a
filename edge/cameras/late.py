"""A camera that is opened when it is first needed, and tried again when it was not there."""

from edge.cameras.base import Adjustment, Adjusts, Camera, CameraError, Previews, Repeats, Shot
from edge.cameras.open import check_spec, open_camera
from imaging.types import Image


class LateCamera:
    """Opens its camera at the first capture or preview.

    An agent must send what is saved even while its camera is unplugged, and must not keep the
    device from others before it takes a picture itself.

    Args:
        spec: see `edge.cameras.open.SPECS`.

    Raises:
        CameraError: no backend is called so. Whether the device is there shows at `capture`.
    """

    def __init__(self, spec: str) -> None:
        self.name = check_spec(spec)
        self._spec = spec
        self._camera: Camera | None = None

    def capture(self) -> Shot:
        """Take one picture, opening the camera first if it is not open.

        Raises:
            CameraError: it cannot be opened, or gives no picture; a later call tries again.
        """
        return self.opened().capture()

    def again(self) -> Shot:
        """Another picture of the field taken last; a fresh one of a camera that cannot move on.

        Raises:
            CameraError: as `capture`.
        """
        camera = self.opened()
        return camera.again() if isinstance(camera, Repeats) else camera.capture()

    def preview(self) -> Image:
        """What the camera sees, at most 640 wide, opening it first if it is not open.

        Raises:
            CameraError: as `capture`.
        """
        from edge.cameras.small import shrunk  # OpenCV takes its time to load

        camera = self.opened()
        return camera.preview() if isinstance(camera, Previews) else shrunk(camera.capture().image)

    def adjust(self, adjustment: Adjustment) -> None:
        """Set exposure and colours.

        Raises:
            CameraError: as `capture`, or it does not take them.
        """
        camera = self.opened()
        if not isinstance(camera, Adjusts):
            raise CameraError(f"exposure and colours of {camera.name} cannot be set from here")
        camera.adjust(adjustment)

    def opened(self) -> Camera:
        """The camera itself, opened if it is not yet.

        Raises:
            CameraError: it cannot be opened.
        """
        if self._camera is None:
            self._camera = open_camera(self._spec)
            self.name = self._camera.name
        return self._camera

    def close(self) -> None:
        """Give the device back, if it was ever taken."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
