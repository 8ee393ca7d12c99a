"""A camera over a simulated smear, with stage, focus, slow drifts and ground truth."""

from math import sin
from typing import Final

from edge.cameras.base import CameraError, Shot, TrueCell
from imaging.simulator import CAMERA_PIXELS_PER_UM, Optics, SlideKind, Smear

COLUMNS: Final = 24
"""Fields side by side before the serpentine turns back on the next row."""

_SEARCH: Final = 5000
"""Fields that are looked at for a white cell before the camera gives up."""


class SimulatorCamera:
    """Walks a simulated slide on a serpentine and shows every field that holds a white cell.

    Args:
        seed: of the first slide, 0 or above.
        kind: whose smear the first slide is.
        width: of a picture, in pixels; 26 to the µm.
        height: of a picture, in pixels.
        defocus: where the focus starts, in µm away from the best plane.
        drift: factor on the slow drifts of lamp, stain and focus; 0 for none, 1 for those that
            a warm-up and an uneven stain make.
        advance: go on to the next field before each capture. Without it the stage stays where
            `move_to` put it, as autofocus needs.

    Attributes:
        name: `simulator:SEED`, with the first slide's seed.
        focus: height of the focus drive in µm; the slide lies near 0. Set it to focus.
        advance: as above; may be set at any time.

    Raises:
        CameraError: an argument is out of range; the message says which.
    """

    def __init__(
        self,
        seed: int = 7,
        kind: SlideKind = "Normal",
        *,
        width: int = 1280,
        height: int = 960,
        defocus: float = 0.0,
        drift: float = 1.0,
        advance: bool = True,
    ) -> None:
        if width < 1 or height < 1:
            raise CameraError(f"a picture of {width}×{height} pixels cannot be: take 1×1 or more")
        self.name = f"simulator:{seed}"
        self.focus = defocus
        self.advance = advance
        self._size = (width, height)
        self._drift = drift
        self._frames = 0
        self._closed = False
        self.change_slide(seed, kind)

    @property
    def stage(self) -> tuple[float, float]:
        """Place of the field's upper left corner on the slide, x and y in µm."""
        return self._stage

    def move_to(self, x: float, y: float) -> None:
        """Put the field's upper left corner at (x, y) µm; the next capture is taken there."""
        self._stage = (x, y)
        self._placed = True

    def change_slide(self, seed: int, kind: SlideKind) -> None:
        """Put another slide under the lens and go to its beginning; the focus stays.

        Raises:
            CameraError: there is no such slide.
        """
        try:
            self._smear = Smear(seed, kind)
        except ValueError as error:
            raise CameraError(f"no such slide: {error}") from error
        self._steps = 0
        self._stage = (0.0, 0.0)
        self._placed = False

    def capture(self) -> Shot:
        """Go to the next field that holds a white cell and photograph it.

        Returns:
            A shot with truth. Metadata: `kind` and `slide_seed` of the slide; `frame`, counted
            from 1; `stage_x_um`, `stage_y_um`; `focus_um`, and `defocus_um` from the best plane;
            `exposure` and `stain_strength`, both factors near 1.

        Raises:
            CameraError: the camera is closed, or no field near by is large enough for a cell.
        """
        if self._closed:
            raise CameraError("the simulator is closed: open it again")
        if self.advance and not self._placed:
            self._go_on()
        self._placed = False
        self._frames += 1
        optics = self._optics()
        field = self._smear.field(*self._stage, *self._size, optics)
        truth = tuple(TrueCell(cell.box, cell.kind, cell.label) for cell in field.cells)
        return Shot(field.image, self._metadata(optics), truth)

    def close(self) -> None:
        """Take no further picture."""
        self._closed = True

    def _go_on(self) -> None:
        for _ in range(_SEARCH):
            place = self._place(self._steps)
            self._steps += 1
            if self._smear.has_white_cell(*place, *self._size):
                self._stage = place
                return
        raise CameraError(f"no white cell in {_SEARCH} fields: take larger ones than {self._size}")

    def _place(self, step: int) -> tuple[float, float]:
        row, column = divmod(step, COLUMNS)
        if row % 2:
            column = COLUMNS - 1 - column
        width, height = self._size
        return column * width / CAMERA_PIXELS_PER_UM, row * height / CAMERA_PIXELS_PER_UM

    def _optics(self) -> Optics:
        """The instrument's state at this frame: waves of some 100 captures, a few per cent high."""
        n, drift = self._frames, self._drift
        return Optics(
            defocus_um=self.focus - 0.06 * drift * sin(n / 23),
            exposure=1 + 0.04 * drift * sin(n / 31),
            tilt=(0.015 + 0.02 * drift * sin(n / 47), -0.01 + 0.02 * drift * sin(n / 53)),
            stain_strength=1 + 0.08 * drift * sin(n / 67),
            stain_hue=0.15 * drift * sin(n / 41),
            frame=n,
        )

    def _metadata(self, optics: Optics) -> dict[str, str | int | float]:
        return {
            "kind": self._smear.kind,
            "slide_seed": self._smear.seed,
            "frame": self._frames,
            "stage_x_um": round(self._stage[0], 3),
            "stage_y_um": round(self._stage[1], 3),
            "focus_um": round(self.focus, 4),
            "defocus_um": round(optics.defocus_um, 4),
            "exposure": round(optics.exposure, 4),
            "stain_strength": round(optics.stain_strength, 4),
        }
