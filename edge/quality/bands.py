"""A field's measures as bands: where the needle stands, and a word for it.

Whether a band is good is asked of the gate itself (`imaging.verdict.judge`), so page and gate
cannot disagree.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite, log2
from typing import Final, Literal, TypeAlias

from imaging.quality import Quality
from imaging.verdict import DEFAULT_LIMITS, Limits, Measured, judge

Name: TypeAlias = Literal["brightness", "focus", "clipping", "cells", "colour"]


@dataclass(frozen=True)
class Band:
    """One measure.

    Attributes:
        name: of the measure.
        position: of the needle, 0 (left) to 1 (right).
        word: what the needle says, such as "too dark".
        ok: whether the gate lets a field of this measure pass.
        low: where the good part of the band begins, 0 to 1.
        high: where it ends, 0 to 1.
        code: the gate's code of what is wrong, as in docs/refusals.md; empty when ok.
    """

    name: Name
    position: float
    word: str
    ok: bool
    low: float
    high: float
    code: str = ""


@dataclass(frozen=True)
class _Scale:
    """How one measure is shown."""

    name: Name
    measure: str
    """The measure's name in `Quality`."""
    place: Callable[[float], float]
    """Where a value stands on the band; what lies beyond 0 and 1 stands at its end."""
    good: Callable[[Limits], tuple[float, float]]
    """Least and greatest good value."""
    word: Callable[[float, Limits], str]
    """For a value that passes."""


def _doublings(value: float) -> float:
    """1/32 at the left end, 2 at the right, each doubling as wide as any other."""
    return (log2(max(value, 1 / 32)) + 5) / 6


def _is_sharp(focus: float, limits: Limits) -> bool:
    return focus >= 1.5 * limits.focus


_SCALES: Final = (
    _Scale(
        "brightness",
        "brightness",
        place=lambda value: value,
        good=lambda limits: (limits.darkest, limits.brightest),
        word=lambda _value, _limits: "good",
    ),
    _Scale(
        "clipping",
        "clipped",
        place=lambda value: value / 0.4,
        good=lambda limits: (0.0, limits.clipped),
        word=lambda value, limits: "some lost" if value > limits.clipped / 4 else "good",
    ),
    _Scale(
        "cells",
        "tissue",
        place=lambda value: value / 0.6,
        good=lambda limits: (limits.tissue, 1.0),
        word=lambda value, limits: "few" if value < 5 * limits.tissue else "good",
    ),
    _Scale(
        "focus",
        "focus",
        place=_doublings,
        good=lambda limits: (limits.focus, 2.0),
        word=lambda value, limits: "sharp" if _is_sharp(value, limits) else "soft",
    ),
    _Scale(
        "colour",
        "cast",
        place=lambda value: value / 50,
        good=lambda limits: (0.0, limits.cast),
        word=lambda value, limits: "tinted" if value > 0.4 * limits.cast else "neutral",
    ),
)
"""In the order in which the gate judges."""

_WORDS: Final = {
    "too-dark": "too dark",
    "too-bright": "too bright",
    "clipped": "detail lost",
    "empty-field": "no cells",
    "out-of-focus": "out of focus",
    "colour-cast": "too tinted",
}
"""Of the gate's codes."""


def bands(quality: Measured, limits: Limits = DEFAULT_LIMITS) -> list[Band]:
    """The five bands; a field passes the gate exactly when all are ok.

    Args:
        quality: of the field, or of a preview of it.
        limits: the gate's.
    """
    return [_band(scale, getattr(quality, scale.measure), limits) for scale in _SCALES]


def is_sharp(quality: Measured, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether the focus needle says *sharp* of a field that has cells to be sharp."""
    return quality.tissue >= limits.tissue and _is_sharp(quality.focus, limits)


def _band(scale: _Scale, value: float, limits: Limits) -> Band:
    problem = judge(replace(_passing(limits), **{scale.measure: value}), limits)
    low, high = (_between(scale.place(end)) for end in scale.good(limits))
    return Band(
        name=scale.name,
        position=_between(scale.place(value)) if isfinite(value) else 0.0,
        word=_WORDS[problem.code] if problem else scale.word(value, limits),
        ok=problem is None,
        low=low,
        high=high,
        code=problem.code if problem else "",
    )


def _passing(limits: Limits) -> Quality:
    """A field that passes the gate, so that it judges the one measure that is put in."""
    middle = (limits.darkest + limits.brightest) / 2
    return Quality(limits.focus, middle, limits.clipped, limits.cast, limits.tissue)


def _between(position: float) -> float:
    return min(max(position, 0.0), 1.0)
