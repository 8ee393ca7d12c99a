"""The simulated microscope's stage: moves the simulated camera over its slide, and its focus."""

from typing import Final

from edge.cameras.base import Camera
from edge.cameras.late import LateCamera
from edge.cameras.simulator import SimulatorCamera
from edge.stage.base import Place, StageError
from imaging.simulator import SMEAR_BEGINS_UM

REACH_UM: Final = 100_000.0
"""It goes so far from the slide's origin, in each direction."""

_BESIDE_UM: Final = 1000.0
"""Farther than any field is wide."""


class SimulatorStage:
    """Moves at once. While it is there, the camera no longer walks by itself.

    Args:
        camera: the simulated one, or a late one that opens it; stays its owner's to close.

    Raises:
        CameraError: the camera cannot be opened.
        StageError: it is no simulated camera.
    """

    def __init__(self, camera: Camera) -> None:
        self.name = "simulator"
        self._camera = camera = _simulated(camera)
        self._closed = False
        camera.advance = False

    @property
    def place(self) -> Place:
        """Upper left corner of the field on the slide, and the height of the focus drive."""
        return Place(*self._camera.stage, self._camera.focus)

    @property
    def glass(self) -> Place:
        """Left of the smear, in focus."""
        return Place(SMEAR_BEGINS_UM - _BESIDE_UM, 0.0, 0.0)

    def move_to(self, place: Place) -> None:
        """Be there.

        Raises:
            StageError: it is closed, or the place is out of reach.
        """
        if self._closed:
            raise StageError("the simulated stage is closed: open it again")
        if not all(abs(value) <= REACH_UM for value in (place.x, place.y, place.z)):
            raise StageError(
                f"{place} is out of reach: the simulated stage goes {REACH_UM:.0f} µm from its "
                "origin; choose a nearer area"
            )
        self._camera.move_to(place.x, place.y)
        self._camera.focus = place.z

    def follow(self, camera: Camera) -> None:
        """The camera was opened again: stand with it where the last one stood.

        Raises:
            CameraError: it cannot be opened.
            StageError: it is no simulated camera.
        """
        place, fresh = self.place, _simulated(camera)
        fresh.advance = self._closed
        fresh.move_to(place.x, place.y)
        fresh.focus = place.z
        self._camera = fresh

    def close(self) -> None:
        """Let the camera walk by itself again."""
        if not self._closed:
            self._closed = True
            self._camera.advance = True


def _simulated(camera: Camera) -> SimulatorCamera:
    if isinstance(camera, LateCamera):
        camera = camera.opened()
    if not isinstance(camera, SimulatorCamera):
        raise StageError(
            f"the simulated stage moves the simulated camera only, and the camera is "
            f"{camera.name}: set camera to simulator, or stage to a serial one"
        )
    return camera
