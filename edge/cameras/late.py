"""A camera that is opened when it is first needed, and tried again when it was not there."""

from edge.cameras.base import Camera, Shot
from edge.cameras.open import check_spec, open_camera


class LateCamera:
    """Opens its camera at the first capture.

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
        if self._camera is None:
            self._camera = open_camera(self._spec)
            self.name = self._camera.name
        return self._camera.capture()

    def close(self) -> None:
        """Give the device back, if it was ever taken."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
