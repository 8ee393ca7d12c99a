"""Autofocus with a stage: a coarse sweep that finds the hill, then a fine search for its top."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from edge.focus.measure import sharpness
from edge.refusal import CaptureRefused
from edge.stage.base import Place, Stage
from imaging.types import Image

LEAST_RISE: Final = 1.15
"""Factor by which the hill's top stands above the sweep's median. Noise alone reaches 1.01, and
1.1 under a lamp that flickers by 5 %; the palest of 20 simulated fields 1.17 in strong noise, most
of them 2 to 6."""

_WIDENINGS: Final = 2
"""How often the sweep goes on beyond an end at which the sharpness still rises."""


@dataclass(frozen=True)
class Focused:
    """Where the focus is."""

    z_um: float
    """Height of the sharpest picture; the stage stands there."""
    sharpness: float
    """Of that picture, see `edge.focus.measure.sharpness`."""
    looked: int
    """Pictures it took."""


class FocusStopped(Exception):  # noqa: N818  # asked for, not a fault
    """The search was told to stop; the stage is where it was before."""


def autofocus(
    stage: Stage,
    look: Callable[[], Image],
    span_um: float = 20.0,
    *,
    coarse_um: float = 1.0,
    fine_um: float = 0.1,
    stop: threading.Event | None = None,
) -> Focused:
    """Sweep z about where it is, then halve the step around the sharpest height.

    Takes span / coarse + 1 pictures for the sweep, 2 for each halving, and a sweep's part more
    where the sharpness still rises at its end. x and y stay.

    Args:
        stage: moves z.
        look: a new picture at each call, always of the same part of the field.
        span_um: of the sweep, half of it below and half above, in µm.
        coarse_um: step of the sweep: no wider than the hill, some µm for a dry lens, 1 for oil.
        fine_um: step at which the search ends; about a third of the depth of field.
        stop: ends the search within one move and picture.

    Returns:
        The sharpest height. The stage stands there.

    Raises:
        CaptureRefused: `focus-not-found`, with the remedy; the stage is back where it was.
        FocusStopped: `stop` was set; the stage is back where it was.
        StageError: the stage did not move.
        CameraError: from `look`.
        ValueError: a step or the span is not above 0.
    """
    if min(span_um, coarse_um, fine_um) <= 0:
        raise ValueError("span and steps of the autofocus are lengths: above 0 µm")
    hill = _Hill(stage, look, stop or threading.Event())
    try:
        _sweep(hill, span_um, coarse_um)
        return _climb(hill, coarse_um, fine_um)
    except (CaptureRefused, FocusStopped):
        stage.move_to(hill.start)
        raise


class _Hill:
    """Sharpness by height, as far as it was looked at. Heights are kept in nanometres: exact."""

    def __init__(self, stage: Stage, look: Callable[[], Image], stop: threading.Event) -> None:
        self.start: Place = stage.place
        self.seen: dict[int, float] = {}
        self._stage, self._look, self._stop = stage, look, stop

    def at(self, z_nm: int) -> float:
        """Sharpness at a height, looked at once."""
        if z_nm not in self.seen:
            if self._stop.is_set():
                raise FocusStopped("the autofocus was stopped")
            self.go(z_nm)
            self.seen[z_nm] = sharpness(self._look())
        return self.seen[z_nm]

    def go(self, z_nm: int) -> None:
        self._stage.move_to(replace(self.start, z=z_nm / 1000))

    @property
    def top(self) -> int:
        return max(self.seen, key=lambda z_nm: self.seen[z_nm])

    @property
    def rise(self) -> float:
        """The top over the median: 1 where nothing has an edge."""
        levels = sorted(self.seen.values())
        return levels[-1] / max(levels[len(levels) // 2], 1e-12)


def _sweep(hill: _Hill, span_um: float, coarse_um: float) -> None:
    """Look at all heights of the span from below; go on beyond an end that is the top."""
    step, half = round(1000 * coarse_um), round(500 * span_um)
    middle = round(1000 * hill.start.z)
    low, high = middle - half, middle + half
    for z_nm in range(low, high + 1, step):
        hill.at(z_nm)
    for _ in range(_WIDENINGS):
        if hill.top == min(hill.seen):
            low = min(hill.seen) - half // step * step
            for z_nm in range(low, min(hill.seen), step):
                hill.at(z_nm)
        elif hill.top == max(hill.seen):
            high = max(hill.seen) + half
            for z_nm in range(max(hill.seen) + step, high + 1, step):
                hill.at(z_nm)
    _check(hill)


def _check(hill: _Hill) -> None:
    swept = f"{len(hill.seen)} pictures over {(max(hill.seen) - min(hill.seen)) / 1000:g} µm"
    if hill.rise < LEAST_RISE:
        raise _not_found(
            f"No height is sharper than the others ({swept}).",
            "Move the slide to where cells lie in view, turn the focus by hand until they show, "
            "then focus again.",
        )
    if hill.top in (min(hill.seen), max(hill.seen)):
        raise _not_found(
            f"The sharpness still rises at the end of the sweep ({swept}).",
            f"Turn the focus by hand {'down' if hill.top == min(hill.seen) else 'up'} until the "
            "cells show, then focus again.",
        )


def _not_found(sentence: str, remedy: str) -> CaptureRefused:
    return CaptureRefused("focus-not-found", sentence, remedy)


def _climb(hill: _Hill, coarse_um: float, fine_um: float) -> Focused:
    """Halve the step about the top until it is `fine_um`; stay on the top."""
    step = round(1000 * coarse_um)
    while step > 1000 * fine_um:
        step = max(1, step // 2)
        around = hill.top
        for z_nm in (around - step, around + step):
            hill.at(z_nm)
    hill.go(hill.top)
    return Focused(hill.top / 1000, hill.seen[hill.top], len(hill.seen))
