"""`leukoscope-edge command`: orders a device something over the broker and prints its reply."""

import logging
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console

from edge.commands.arguments import read_arguments
from edge.commands.names import NAMES
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from wire.logs import configure
from wire.messages import Reply

EXIT_REFUSED: Final = 3
EXIT_NO_ANSWER: Final = 4

Arguments = Mapping[str, str | int | float | bool]


def command(  # one argument per option
    device: Annotated[str, typer.Argument(help="the device that is ordered")],
    name: Annotated[str, typer.Argument(help=", ".join(NAMES))],
    slide: Annotated[
        str | None, typer.Option(help="slide token; never the number on the slide")
    ] = None,
    count: Annotated[int | None, typer.Option(help="burst: pictures, 2 to 20")] = None,
    cells: Annotated[int | None, typer.Option(help="start-scan: white cells, 1 to 1000")] = None,
    exposure_us: Annotated[
        int | None, typer.Option(help="set-camera: exposure time in microseconds")
    ] = None,
    gain: Annotated[float | None, typer.Option(help="set-camera: gain, 1 to 16")] = None,
    red_gain: Annotated[float | None, typer.Option(help="set-camera: gain of red")] = None,
    blue_gain: Annotated[float | None, typer.Option(help="set-camera: gain of blue")] = None,
    out: Annotated[Path | None, typer.Option(help="snapshot: file for the JPEG")] = None,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the reply")] = 30.0,
    *,
    json: Annotated[bool, typer.Option("--json", help="the reply as JSON on stdout")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")] = None,
) -> None:
    """Order a device something over the broker and print its reply.

    Site, broker and command_key_file come from the settings.

    Exit codes: 0 done, 3 refused, 4 no answer in time.
    """
    options = {
        "slide": slide,
        "count": count,
        "cells": cells,
        "exposure_us": exposure_us,
        "gain": gain,
        "red_gain": red_gain,
        "blue_gain": blue_gain,
    }
    given = {option: value for option, value in options.items() if value is not None}
    _check(name, given)
    if name == "snapshot" and out is None and not json:
        raise typer.BadParameter("name a file for the picture: --out FILE")
    settings = EdgeSettings.load(config, device=device)
    configure(json=settings.log_json, level=logging.WARNING)
    raise typer.Exit(_send(settings, name, given, wait, out, json=json))


def _check(name: str, arguments: Arguments) -> None:
    """Find a mistake before it travels: a number that is no token must not leave this machine."""
    if name not in NAMES:
        raise typer.BadParameter(f"there is no such command: take {', '.join(NAMES)}")
    try:
        read_arguments(name, arguments)
    except CaptureRefused as refusal:
        raise typer.BadParameter(refusal.may_travel) from refusal


def _send(
    settings: EdgeSettings,
    name: str,
    arguments: Arguments,
    wait_s: float,
    out: Path | None,
    *,
    json: bool,
) -> int:
    from edge.commands.sender import NoAnswerError, send_command  # paho, and only when it is needed

    try:
        reply = send_command(settings, name, arguments, wait_s)
    except NoAnswerError as error:
        Console(stderr=True, markup=False).print(f"{settings.device}: no answer: {error}")
        return EXIT_NO_ANSWER
    if reply.image is not None and out is not None:
        out.write_bytes(reply.image)
        reply = msgspec.structs.replace(reply, image=None, result=reply.result | {"file": str(out)})
    if json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(reply), indent=2).decode() + "\n")
    else:
        # Never folded: a file's name is for copying.
        said = f"{settings.device}: {_sentence(reply)}"
        Console(markup=False).print(said, highlight=False, soft_wrap=True)
    return 0 if reply.ok else EXIT_REFUSED


def _sentence(reply: Reply) -> str:
    if not reply.ok:
        return f"refused ({reply.reason}): {reply.detail}"
    return " ".join(["done", *(f"{name}={value}" for name, value in reply.result.items())])
