"""The simulated microscope's stage: moves the simulated camera over its slide, and its focus."""

from typing import Final

from edge.cameras.simulator import SimulatorCamera
from edge.stage.base import Place, StageError

REACH_UM: Final = 100_000.0
"""It goes so far from the slide's origin, in each direction."""


class SimulatorStage:
    """Moves at once. While it is there, the camera no longer walks by itself.

    Args:
        camera: opened; stays its owner's to close.
    """

    def __init__(self, camera: SimulatorCamera) -> None:
        self.name = "simulator"
        self._camera = camera
        self._closed = False
        camera.advance = False

    @property
    def place(self) -> Place:
        """Upper left corner of the field on the slide, and the height of the focus drive."""
        return Place(*self._camera.stage, self._camera.focus)

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

    def close(self) -> None:
        """Let the camera walk by itself again."""
        if not self._closed:
            self._closed = True
            self._camera.advance = True
