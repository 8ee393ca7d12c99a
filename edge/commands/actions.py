"""What each command does at the desk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final

from edge.cameras.base import Adjustment
from edge.commands.arguments import Burst, CameraControls, Nothing, OnSlide, Scan, TheSlide
from edge.commands.names import CommandName
from edge.desk import Desk
from edge.desk.slides import another_slide


@dataclass(frozen=True)
class Done:
    """What a command that was carried out answers."""

    result: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    image: bytes | None = None
    """JPEG."""


@dataclass(frozen=True)
class Action:
    """What a command does."""

    carry_out: Callable[[Desk, Any], Done]
    """With the desk and the arguments that `TAKES` says."""
    changes: bool = True
    """Whether to do it twice would be something else than to do it once."""
    at_once: bool = False
    """Whether it waits for no other command."""


def _ping(_desk: Desk, _: Nothing) -> Done:
    return Done({"version": version("leukoscope")})


def _snapshot(desk: Desk, _: Nothing) -> Done:
    return Done(image=desk.snapshot_to_send())


def _start_slide(desk: Desk, arguments: TheSlide) -> Done:
    _open(desk, arguments.slide)
    return Done({"slide": arguments.slide})


def _end_slide(desk: Desk, arguments: TheSlide) -> Done:
    desk.end_slide("remote", slide=arguments.slide)
    return Done({"slide": arguments.slide})


def _capture(desk: Desk, arguments: OnSlide) -> Done:
    _open(desk, arguments.slide)
    return _taken(desk, arguments.slide, 1)


def _burst(desk: Desk, arguments: Burst) -> Done:
    _open(desk, arguments.slide)
    return _taken(desk, arguments.slide, arguments.count)


def _taken(desk: Desk, slide: str | None, count: int) -> Done:
    line = desk.capture("remote", count=count, slide=slide)
    return Done({"capture_id": line.capture_id, "slide": line.slide, "cells": line.cells})


def _autofocus(desk: Desk, _: Nothing) -> Done:
    found = desk.autofocus("remote")
    return Done({"z_um": found.z_um, "sharpness": found.sharpness, "looked": found.looked})


def _set_camera(desk: Desk, controls: CameraControls) -> Done:
    red, blue = controls.red_gain, controls.blue_gain
    gains = None if red is None or blue is None else (red, blue)
    desk.adjust_camera(Adjustment(controls.exposure_us, controls.gain, gains), "remote")
    names = controls.__struct_fields__
    return Done({name: value for name in names if (value := getattr(controls, name)) is not None})


def _start_scan(desk: Desk, arguments: Scan) -> Done:
    _open(desk, arguments.slide)
    desk.start_scan("remote", arguments.cells, slide=arguments.slide)
    return Done({"slide": desk.state.slide or "", "cells": arguments.cells})


def _stop_scan(desk: Desk, _: Nothing) -> Done:
    desk.stop_scan("remote")
    return Done()


ACTIONS: Final[Mapping[CommandName, Action]] = {
    "ping": Action(_ping, changes=False, at_once=True),
    "snapshot": Action(_snapshot, changes=False),
    "start-slide": Action(_start_slide),
    "end-slide": Action(_end_slide),
    "capture": Action(_capture),
    "burst": Action(_burst),
    "autofocus": Action(_autofocus),
    "set-camera": Action(_set_camera),
    "start-scan": Action(_start_scan),
    "stop-scan": Action(_stop_scan),
}


def _open(desk: Desk, slide: str | None) -> None:
    """Make sure that the slide that is meant is the open one; whoever opened another one stays.

    The desk refuses too, with nothing coming between; here it is not yet the page's matter.
    """
    opened = desk.state.slide
    if slide is None or slide == opened:
        return
    if opened is not None:
        raise another_slide()
    desk.start_token(slide, "remote")
