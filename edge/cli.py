"""`leukoscope-edge`: the microscope's agent."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from edge.cameras.base import CameraError
from edge.commands.cli import command
from edge.doctor.cli import doctor
from edge.identity import SlideKeyError
from edge.page.cli import page_app
from edge.settings import EdgeSettings
from edge.spool import SpoolError
from edge.spool_cli import spool_app
from wire.command_key import CommandKeyError
from wire.connection import ConnectionSetupError
from wire.logs import configure
from wire.settings import SettingsError
from wire.topics import TopicError

app = typer.Typer(
    name="leukoscope-edge",
    help="Leukoscope's agent at the microscope. Research use only.\n\n"
    "Settings come from a TOML file (--config or LEUKOSCOPE_EDGE_CONFIG) and from the environment "
    "(LEUKOSCOPE_EDGE_SITE, LEUKOSCOPE_EDGE_BROKER__HOST, …). Exit codes: 0 done, 1 failed, "
    "2 wrong usage or settings, 3 a capture or command was refused, 4 saved but not yet stored, "
    "or no answer in time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they would show what a frame holds
)
app.add_typer(spool_app, name="spool")
app.add_typer(page_app, name="page")
app.command()(command)
app.command()(doctor)

Config = Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")]


@app.command()
def run(config: Config = None) -> None:
    """Serve the capture page, work button and light, send the spool, obey commands; until stopped.

    What is missing, such as a camera, a stage or GPIO, is said once; the rest goes on without it.
    """
    settings = EdgeSettings.load(config)
    configure(json=settings.log_json)
    from edge.run_cli import run_station  # OpenCV takes its time to load

    run_station(settings)


@app.command()
def capture(  # one argument per option
    slide: Annotated[
        str, typer.Option(help="number on the slide; only a token of it leaves the station")
    ],
    count: Annotated[int, typer.Option(min=1, help="how many fields")] = 1,
    wait: Annotated[float, typer.Option(min=0, help="seconds to wait for the receipts")] = 30.0,
    *,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    config: Config = None,
) -> None:
    """Capture fields of a slide: each is saved, sent, and stored, or refused with a reason."""
    from edge.capture_cli import capture_fields  # OpenCV takes its time to load

    if not slide.strip():
        raise typer.BadParameter("the slide's number is empty: scan or type it")
    settings = EdgeSettings.load(config)
    configure(json=settings.log_json, level=logging.WARNING)
    raise typer.Exit(capture_fields(settings, slide, count, wait, json=json))


def main() -> None:
    """Run the command line; an error that a person can mend is one sentence, not a traceback."""
    try:
        app()
    except (SettingsError, ConnectionSetupError, CommandKeyError, TopicError) as error:
        _end(error, 2)
    except (CameraError, SpoolError, SlideKeyError, OSError) as error:
        _end(error, 1)


def _end(error: Exception, code: int) -> None:
    Console(stderr=True).print(
        f"[red]leukoscope-edge:[/red] {escape(str(error))}", highlight=False, soft_wrap=True
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
