"""What each command takes.

A refusal names the argument and its bounds, and repeats no value: somebody may have typed a
patient's name where a token belongs.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import fields

from edge.commands.names import CommandName
from edge.identity import TOKEN_PATTERN
from edge.refusal import CaptureRefused

Token = Annotated[str, Meta(pattern=TOKEN_PATTERN)]


class Nothing(Struct, frozen=True):
    """No arguments."""


class OnSlide(Struct, frozen=True):
    """What may name the slide that is meant; without it, the open one."""

    slide: Token | None = None


class TheSlide(Struct, frozen=True):
    """What must name the slide."""

    slide: Token


class Burst(OnSlide, frozen=True):
    """How many pictures one is chosen from."""

    count: Annotated[int, Meta(ge=2, le=20)] = 5


class Scan(OnSlide, frozen=True):
    """How many white cells are enough."""

    cells: Annotated[int, Meta(ge=1, le=1000)] = 100


class CameraControls(Struct, frozen=True):
    """What may be set of a camera from afar, each within what a microscope can use."""

    exposure_us: Annotated[int, Meta(ge=50, le=500_000)] | None = None
    gain: Annotated[float, Meta(ge=1, le=16)] | None = None
    red_gain: Annotated[float, Meta(ge=0.1, le=8)] | None = None
    blue_gain: Annotated[float, Meta(ge=0.1, le=8)] | None = None

    def __post_init__(self) -> None:
        """Refuse half a white balance, and nothing at all."""
        if (self.red_gain is None) != (self.blue_gain is None):
            raise ValueError("red_gain and blue_gain go together.")
        if self.exposure_us is None and self.gain is None and self.red_gain is None:
            raise ValueError("Nothing is to be set.")


TAKES: Final[Mapping[CommandName, type[Struct]]] = {
    "ping": Nothing,
    "snapshot": Nothing,
    "start-slide": TheSlide,
    "end-slide": TheSlide,
    "capture": OnSlide,
    "burst": Burst,
    "autofocus": Nothing,
    "set-camera": CameraControls,
    "start-scan": Scan,
    "stop-scan": Nothing,
}

_BOUNDS: Final = {
    "count": "a whole number, 2 to 20",
    "cells": "a whole number, 1 to 1000",
    "exposure_us": "a whole number of microseconds, 50 to 500000",
    "gain": "1 to 16",
    "red_gain": "0.1 to 8",
    "blue_gain": "0.1 to 8",
}


def read_arguments(name: CommandName, given: Mapping[str, object]) -> Struct:
    """Check the arguments of a command.

    Args:
        name: of the command.
        given: as they came.

    Returns:
        What `TAKES` says of that name.

    Raises:
        CaptureRefused: `slide-invalid` or `command-invalid`.
    """
    kind = TAKES[name]
    taken = [field.name for field in fields(kind)]
    if not set(given) <= set(taken):
        raise _invalid("An argument is unknown.", taken)
    try:
        return msgspec.convert(dict(given), kind)
    except msgspec.ValidationError as error:
        found = re.search(r"\$\.(\w+)|required field `(\w+)`", str(error))
        argument = (found[1] or found[2]) if found else ""
        if argument == "slide":
            raise CaptureRefused(
                "slide-invalid",
                "The slide argument is missing or is no slide token.",
                "Send the token that the station's page shows (s and 20 hex digits), "
                "never the number on the slide.",
            ) from error
        sentence = f"{argument} must be {_BOUNDS[argument]}." if argument in _BOUNDS else str(error)
        raise _invalid(sentence, taken) from error


def _invalid(sentence: str, taken: list[str]) -> CaptureRefused:
    takes = f"takes {', '.join(taken)}" if taken else "takes no arguments"
    return CaptureRefused("command-invalid", sentence, f"The command {takes}.")
