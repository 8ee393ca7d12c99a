"""A correction from pictures of an empty field, or why it cannot be had from these."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge.calibration.correction import Correction
from edge.calibration.error import CalibrationError
from edge.calibration.surface import Plane, evaluate, fit
from edge.cameras.base import Shot
from edge.cameras.small import shrunk
from imaging.types import Image
from imaging.verdict import DEFAULT_LIMITS

LEAST_SHOTS: Final = 3
"""Fewer have no median. Eight are a second of a camera's time and leave an eighth of the noise."""

_WIDTH: Final = 160  # width, in pixels, of the pictures that are compared and fitted
_CLIPPED: Final = 254  # gray level
_MOST_CLIPPED: Final = 0.01  # part of the pixels: reflections on dust
_DARKEST: Final = 0.5  # of full scale: cells take up to a third of the light from the gate's 0.35
_STEADY: Final = 0.03  # relative difference of one picture's mean from the median's
_OFF: Final = 0.03  # relative difference from the smooth surface that is no noise
_MOST_OFF: Final = 0.03  # part of the pixels: a few specks of dust, but no white cell
_EVEN: Final = 0.5  # darkest over brightest part of a channel
_WHITE: Final = 0.4  # weakest over strongest channel


class _Seen(NamedTuple):
    """What is kept of one picture: a capture's full size times eight would fill a Pi."""

    small: Image
    clipped: float
    """Part of the pixels of which any channel is at the top of the scale."""
    size: tuple[int, int]
    """Width and height of the picture."""


def from_empty_field(shots: Iterable[Shot], *, now: datetime | None = None) -> Correction:
    """Make a correction from several pictures of one empty field.

    Their median is taken pixel by pixel, so that a speck which the slide carries along between
    two pictures drops out, and a smooth surface is fitted to it.

    A smear far out of focus is as smooth as glass: of a dry lens of NA 0.7, up to 5 µm are told
    from it in a field 25 µm wide and up to 10 µm in one of 50 µm. The remedies ask for clear glass,
    in focus.

    Args:
        shots: at least LEAST_SHOTS, uncorrected, all of one size; each is let go once looked at.
        now: time of the calibration, with its time zone; None takes the station's clock.

    Raises:
        CalibrationError: the field is not empty, too dark, clipped, too uneven, …: the code says
            which, and the remedy what to do.
        ValueError: there are fewer pictures than LEAST_SHOTS.
    """
    seen = [_look(shot.image) for shot in shots]
    if len(seen) < LEAST_SHOTS:
        raise ValueError(f"a calibration needs {LEAST_SHOTS} pictures or more, not {len(seen)}")
    _refuse_wrong_light(seen)
    _refuse_unsteady(seen)
    light = np.median(np.stack([one.small for one in seen]), axis=0).astype(np.float32)
    field = np.stack([fit(light[..., channel]) for channel in range(3)])
    width, height = seen[0].size
    correction = Correction(field, width, height, len(seen), now or datetime.now(UTC))
    _refuse_cells(light, field)
    _refuse_extremes(correction)
    return correction


def _look(image: Image) -> _Seen:
    step = max(1, max(image.shape[:2]) // (4 * _WIDTH))
    brightest = image[::step, ::step].max(axis=2)
    clipped = cv2.countNonZero(cv2.inRange(brightest, _CLIPPED, 255)) / brightest.size
    return _Seen(shrunk(image, _WIDTH), clipped, (image.shape[1], image.shape[0]))


def _refuse_wrong_light(seen: list[_Seen]) -> None:
    clipped = max(one.clipped for one in seen)
    if clipped > _MOST_CLIPPED:
        raise CalibrationError(
            "calibration-clipped",
            f"{clipped:.0%} of the empty field is at the top of the scale, its colour lost "
            f"(at most {_MOST_CLIPPED:.0%} is allowed).",
            "Turn the lamp down or shorten the exposure until the glass looks light gray, "
            "then calibrate again.",
        )
    level = max(float(one.small.mean(axis=(0, 1)).max()) for one in seen) / 255
    if level < _DARKEST:
        raise CalibrationError(
            "calibration-too-dark",
            f"The empty field is too dark ({level:.0%} of full brightness, at least "
            f"{_DARKEST:.0%} is needed).",
            "Turn the lamp up, open the condenser diaphragm, check that no filter or cap is in the "
            "light path, then calibrate again.",
        )


def _refuse_unsteady(seen: list[_Seen]) -> None:
    if len({one.size for one in seen}) > 1:
        raise CalibrationError(
            "calibration-unsteady",
            "The camera changed the size of its pictures during the calibration.",
            "Wait until nothing else uses the camera, then calibrate again.",
        )
    means = np.array([one.small.mean(axis=(0, 1)) for one in seen])
    off = float(np.abs(means / np.median(means, axis=0) - 1).max())
    if off > _STEADY:
        raise CalibrationError(
            "calibration-unsteady",
            f"The light or the camera's exposure changed by {off:.0%} during the calibration "
            f"(at most {_STEADY:.0%} is allowed).",
            "Let the lamp warm up, switch the camera's automatic exposure off, do not move "
            "anything, then calibrate again.",
        )


def _refuse_cells(light: Plane, field: npt.NDArray[np.float64]) -> None:
    smooth = np.stack([evaluate(channel, *light.shape[:2]) for channel in field], axis=-1)
    off = np.abs(light - smooth) > _OFF * smooth
    part = float(off.any(axis=-1).mean())
    if part > _MOST_OFF:
        raise CalibrationError(
            "calibration-not-empty",
            f"Something is in view on {part:.0%} of the field (at most {_MOST_OFF:.0%} may be "
            "dust).",
            "Move the slide to clear glass away from the smear, in focus; clean slide and lens "
            "if specks stay. Then calibrate again.",
        )


def _refuse_extremes(correction: Correction) -> None:
    for refuse in _EXTREMES:
        refuse(correction)


def _refuse_too_bright(correction: Correction) -> None:
    level = correction.level / 255
    if level > DEFAULT_LIMITS.brightest:
        raise CalibrationError(
            "calibration-too-bright",
            f"The empty field is too bright ({level:.0%} of full brightness, at most "
            f"{DEFAULT_LIMITS.brightest:.0%} is allowed).",
            "Turn the lamp down or shorten the exposure until the glass looks light gray, "
            "then calibrate again.",
        )


def _refuse_uneven(correction: Correction) -> None:
    if correction.evenness < _EVEN:
        raise CalibrationError(
            "calibration-uneven",
            f"The light is too uneven: its darkest part has {correction.evenness:.0%} of its "
            f"brightest (at least {_EVEN:.0%} is needed).",
            "Centre the condenser and open the field diaphragm beyond the picture, "
            "then calibrate again.",
        )


def _refuse_tinted(correction: Correction) -> None:
    weakest = min(correction.colour) / max(correction.colour)
    if weakest < _WHITE:
        raise CalibrationError(
            "calibration-tinted",
            f"The light is too strongly coloured: the weakest of red, green and blue has "
            f"{weakest:.0%} of the strongest (at least {_WHITE:.0%} is needed).",
            "Take coloured filters out of the light path, set the camera's own white balance, "
            "then calibrate again.",
        )


_EXTREMES: Final[tuple[Callable[[Correction], None], ...]] = (
    _refuse_too_bright,
    _refuse_uneven,
    _refuse_tinted,
)
