"""A camera over a simulated smear, with stage, focus, slow drifts and ground truth."""

from functools import cache
from math import sin
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from edge.cameras.base import Adjustment, CameraError, Shot, TrueCell
from edge.cameras.small import shrunk
from imaging.simulator import CAMERA_PIXELS_PER_UM, Optics, SlideKind, Smear
from imaging.types import Image

COLUMNS: Final = 24
"""Fields side by side before the serpentine turns back on the next row."""

_SEARCH: Final = 5000
"""Fields that are looked at for a white cell before the camera gives up."""

EXPOSURE_US: Final = 10_000
"""Exposure time at gain 1 that shows the slide as bright as it should be."""

_GRAIN_MARGIN: Final = 64
"""Pixels by which the preview's grain may be shifted, so that no two pictures are the same."""

Stop = tuple[float, float]
"""Of the serpentine: x and y in µm."""


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

    The preview shows the field that the next capture takes, as a technician sees it who has moved
    the slide on.

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
        self._exposure = (EXPOSURE_US, 1.0)
        self._frames = 0
        self._previews = 0
        self._shown: tuple[object, Image] | None = None
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
        self._next: tuple[Stop, int] | None = None

    def capture(self) -> Shot:
        """Go to the next field that holds a white cell and photograph it.

        Returns:
            A shot with truth. Metadata: `kind` and `slide_seed` of the slide; `frame`, counted
            from 1; `stage_x_um`, `stage_y_um`; `focus_um`, and `defocus_um` from the best plane;
            `exposure` and `stain_strength`, both factors near 1.

        Raises:
            CameraError: the camera is closed, or no field near by is large enough for a cell.
        """
        self._check_open()
        if self.advance and not self._placed:
            self._stage, self._steps = self._upcoming()
            self._next = None
        self._placed = False
        return self._photograph()

    def again(self) -> Shot:
        """Photograph the field of the last capture once more, as `capture` does.

        Raises:
            CameraError: the camera is closed.
        """
        self._check_open()
        return self._photograph()

    def preview(self) -> Image:
        """The field that the next capture takes, 640 wide; drawn anew only when it has changed.

        Raises:
            CameraError: as `capture`.
        """
        self._check_open()
        place = self._upcoming()[0] if self.advance and not self._placed else self._stage
        seen = (self._smear, place, self.focus, self._frames)
        if self._shown is None or self._shown[0] != seen:
            field = self._smear.field(*place, *self._size, self._optics(self._frames + 1))
            self._shown = (seen, shrunk(field.image))
        self._previews += 1
        return _with_grain(self._shown[1], self._previews)

    def adjust(self, adjustment: Adjustment) -> None:
        """Set exposure time (EXPOSURE_US is right) and gain (1 is).

        Raises:
            CameraError: the colours cannot be set: its white balance is that of the stain.
        """
        if adjustment.colour_gains is not None:
            raise CameraError("the simulator has no colour gains: set exposure and gain only")
        exposure_us, gain = self._exposure
        self._exposure = (
            exposure_us if adjustment.exposure_us is None else adjustment.exposure_us,
            gain if adjustment.gain is None else adjustment.gain,
        )
        self._shown = None

    def close(self) -> None:
        """Take no further picture."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            raise CameraError("the simulator is closed: open it again")

    def _photograph(self) -> Shot:
        self._frames += 1
        optics = self._optics(self._frames)
        field = self._smear.field(*self._stage, *self._size, optics)
        truth = tuple(TrueCell(cell.box, cell.kind, cell.label) for cell in field.cells)
        return Shot(field.image, self._metadata(optics), truth)

    def _upcoming(self) -> tuple[Stop, int]:
        """The next field with a white cell, and the serpentine's step after it."""
        if self._next is None:
            self._next = self._search()
        return self._next

    def _search(self) -> tuple[Stop, int]:
        for step in range(self._steps, self._steps + _SEARCH):
            place = self._place(step)
            if self._smear.has_white_cell(*place, *self._size):
                return place, step + 1
        raise CameraError(f"no white cell in {_SEARCH} fields: take larger ones than {self._size}")

    def _place(self, step: int) -> Stop:
        row, column = divmod(step, COLUMNS)
        if row % 2:
            column = COLUMNS - 1 - column
        width, height = self._size
        return column * width / CAMERA_PIXELS_PER_UM, row * height / CAMERA_PIXELS_PER_UM

    def _optics(self, n: int) -> Optics:
        """The instrument's state at frame `n`: waves of some 100 captures, a few per cent high."""
        drift = self._drift
        return Optics(
            defocus_um=self.focus - 0.06 * drift * sin(n / 23),
            exposure=(1 + 0.04 * drift * sin(n / 31)) * self._light,
            tilt=(0.015 + 0.02 * drift * sin(n / 47), -0.01 + 0.02 * drift * sin(n / 53)),
            stain_strength=1 + 0.08 * drift * sin(n / 67),
            stain_hue=0.15 * drift * sin(n / 41),
            frame=n,
        )

    @property
    def _light(self) -> float:
        exposure_us, gain = self._exposure
        return gain * exposure_us / EXPOSURE_US

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


def _with_grain(image: Image, number: int) -> Image:
    """The same picture with the noise of another moment; costs less than a millisecond."""
    rows, columns = image.shape[:2]
    top, left = (number * 7) % _GRAIN_MARGIN, (number * 13) % _GRAIN_MARGIN
    grain = _grain(rows, columns)[top : top + rows, left : left + columns]
    return np.asarray(cv2.add(image, grain, dtype=cv2.CV_8U), np.uint8)


@cache
def _grain(rows: int, columns: int) -> npt.NDArray[np.int8]:
    shape = (rows + _GRAIN_MARGIN, columns + _GRAIN_MARGIN, 3)
    return np.random.default_rng(71).integers(-2, 3, shape, np.int8)
