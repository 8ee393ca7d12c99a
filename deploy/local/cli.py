"""`leukoscope`: everything on one machine."""

import json as json_format
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from deploy.local.children import ChildDiedError
from deploy.local.home import Home, HomeError, default_folder
from edge.cameras.base import CameraError
from wire.logs import configure

app = typer.Typer(
    name="leukoscope",
    help="Leukoscope on one machine, with an embedded broker and store. Research use only.\n\n"
    "Exit codes: 0 done, 1 something was lost or failed, 2 wrong usage, 130 or 143 stopped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold settings and pictures
)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="folder for all state, found again by the next run"),
]


@app.command()
def demo(
    fields: Annotated[
        int | None, typer.Option(min=1, help="how many fields; default 24, or all of --frames")
    ] = None,
    frames: Annotated[
        Path | None, typer.Option(help="replay the images of this folder instead of simulating")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    data: Data = None,
) -> None:
    """Take smear fields from a microscope to stored, published results, and sum up."""
    from deploy.local.demo import Plan, run_demo  # --help stays quick
    from deploy.local.demo_view import DemoView, show_summary  # likewise
    from deploy.local.journey import Journeys  # likewise

    console = Console(stderr=json)
    plan, journeys = Plan(fields, frames), Journeys()
    view = DemoView(journeys, plan.planned)
    home = Home(data or default_folder())
    configure(json=True, level=40)
    with Live(console=console, get_renderable=view, refresh_per_second=8, transient=json):
        summary = run_demo(plan, home, journeys, lambda words: setattr(view, "now", words))
    home.write_private(home.folder / "summary.json", json_format.dumps(summary, indent=2) + "\n")
    if json:
        sys.stdout.write(json_format.dumps(summary) + "\n")
    else:
        show_summary(summary, console)
    raise typer.Exit(1 if summary["lost"] else 0)


@app.command()
def up(data: Data = None) -> None:
    """Run broker, store, worker, reading room and agent until Ctrl-C."""
    from deploy.local.up import run_up  # --help stays quick

    console = Console()
    configure(json=False)
    run_up(
        Home(data or default_folder()),
        lambda words: console.print(f"· {escape(words)}", soft_wrap=True),
        console,
    )


class Stopped(BaseException):
    """SIGTERM or SIGINT: unwinds every `with` block, so that no child is left."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def main() -> None:
    """Run the command line; an error that a person can mend is one sentence, not a traceback."""
    _forget_other_systems()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stopped)
    try:
        app()
    except Stopped as stopped:
        Console(stderr=True).print(f"stopped by {stopped}; every part was stopped")
        sys.exit(128 + stopped.number)
    except Exception as error:
        if not isinstance(error, _mendable()):
            raise
        Console(stderr=True).print(
            f"[red]leukoscope:[/red] {error}", highlight=False, soft_wrap=True
        )
        sys.exit(1)


def _stopped(number: int, _frame: FrameType | None) -> None:
    raise Stopped(number)


def _mendable() -> tuple[type[Exception], ...]:
    """Errors whose sentence is all that a person needs."""
    from cloud.accounts.trouble import AccountRefused, AccountsTroubleError  # --help stays quick
    from cloud.reviews.signing import ReviewKeyError  # only once there is an error
    from cloud.setup import SetupError  # likewise
    from edge.identity import SlideKeyError  # likewise
    from edge.spool import SpoolError  # likewise
    from wire.settings import SettingsError  # likewise

    return (
        *(HomeError, ChildDiedError, CameraError, OSError),
        *(SetupError, SlideKeyError, SpoolError, SettingsError),
        *(ReviewKeyError, AccountsTroubleError, AccountRefused),
    )


def _forget_other_systems() -> None:
    """Settings of another broker or store in the environment must not reach this one."""
    for name in list(os.environ):
        if name.startswith(("LEUKOSCOPE_EDGE_", "LEUKOSCOPE_CLOUD_")):
            del os.environ[name]


if __name__ == "__main__":
    main()
