"""Whether a field is good enough, and if not, what a technician does about it."""

from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

ProblemCode: TypeAlias = Literal[
    "too-dark", "too-bright", "clipped", "empty-field", "out-of-focus", "colour-cast"
]


class Measured(Protocol):
    """What is judged: `imaging.quality.Quality`, or the message of the same fields."""

    @property
    def focus(self) -> float:
        """Sharpness, 0 upwards."""

    @property
    def brightness(self) -> float:
        """Mean luma, 0 to 1."""

    @property
    def clipped(self) -> float:
        """Part of the pixels at an end of the scale, 0 to 1."""

    @property
    def cast(self) -> float:
        """Chroma of the background, CIELAB."""

    @property
    def tissue(self) -> float:
        """Part of the field that cells cover, 0 to 1."""


@dataclass(frozen=True)
class Limits:
    """What a field must keep to; units as in `imaging.quality.Quality`.

    The defaults pass all 364 fields of the BCCD data set and refuse them blurred by a Gaussian of
    4 pixels or more; docs/decisions/004 gives the figures.
    """

    focus: float = 0.24
    darkest: float = 0.35
    brightest: float = 0.93
    clipped: float = 0.2
    cast: float = 25.0
    tissue: float = 0.03


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Problem:
    """Why a field is refused.

    Attributes:
        code: for programs and translations.
        sentence: what is wrong, with the figure.
        remedy: what the technician does now.
    """

    code: ProblemCode
    sentence: str
    remedy: str


def judge(quality: Measured, limits: Limits = DEFAULT_LIMITS) -> Problem | None:
    """Name the first thing wrong with a field, in the order it should be put right.

    Light comes first, since the other measures need it; then whether there are cells at all,
    because empty glass is never sharp.

    Args:
        quality: of the field.
        limits: what it must keep to.

    Returns:
        None for a good field.
    """
    return _light(quality, limits) or _content(quality, limits)


def _light(quality: Measured, limits: Limits) -> Problem | None:
    if quality.brightness < limits.darkest:
        return Problem(
            "too-dark",
            f"The field is too dark ({quality.brightness:.0%} of full brightness, "
            f"at least {limits.darkest:.0%} is needed).",
            "Turn the lamp up, open the condenser diaphragm, check that the light path is free, "
            "then capture again.",
        )
    if quality.brightness > limits.brightest:
        return Problem(
            "too-bright",
            f"The field is too bright ({quality.brightness:.0%} of full brightness, "
            f"at most {limits.brightest:.0%} is allowed).",
            "Turn the lamp down or shorten the exposure until the glass looks light gray, "
            "then capture again.",
        )
    if quality.clipped > limits.clipped:
        return Problem(
            "clipped",
            f"Detail is lost to pure white or black in {quality.clipped:.0%} of the field "
            f"(at most {limits.clipped:.0%} is allowed).",
            "Turn the lamp down a little or shorten the exposure, and wipe oil glare off the "
            "slide, then capture again.",
        )
    return None


def _content(quality: Measured, limits: Limits) -> Problem | None:
    if quality.tissue < limits.tissue:
        return Problem(
            "empty-field",
            f"Hardly any cells are in view ({quality.tissue:.1%} of the field, "
            f"at least {limits.tissue:.1%} is needed).",
            "Move the slide to where the red cells lie side by side; if you see only haze, "
            "focus first. Then capture again.",
        )
    if quality.focus < limits.focus:
        return Problem(
            "out-of-focus",
            f"The field is out of focus (sharpness {quality.focus:.2f}, "
            f"at least {limits.focus:.2f} is needed).",
            "Turn the fine focus until the edges of the red cells are crisp; if they stay soft, "
            "renew the oil and clean the lens. Then capture again.",
        )
    if quality.cast > limits.cast:
        return Problem(
            "colour-cast",
            f"The bare glass is tinted (chroma {quality.cast:.0f}, "
            f"at most {limits.cast:.0f} is allowed).",
            "Set the white balance on a cell-free part of the slide, and check for a coloured "
            "filter in the light path. Then capture again.",
        )
    return None
