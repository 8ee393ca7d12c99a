"""`leukoscope-cloud`: the worker, its bucket, and a look at its results."""

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from cloud.accounts.cli import audit, user_app
from cloud.settings import CloudSettings
from wire.connection import ConnectionSetupError
from wire.logs import configure
from wire.manifest import BundleError
from wire.registry import RegistryError
from wire.settings import SettingsError
from wire.topics import TopicError

app = typer.Typer(
    name="leukoscope-cloud",
    help="Leukoscope's cloud side. Research use only.\n\n"
    "Settings come from a TOML file (--config or LEUKOSCOPE_CLOUD_CONFIG) and from the environment "
    "(LEUKOSCOPE_CLOUD_BROKER__HOST, …). Exit codes: 0 done, 1 failed, 2 wrong usage or settings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals hold settings and frames
)

app.add_typer(user_app, name="user")
app.command()(audit)

Config = Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")]


@app.command()
def worker(config: Config = None) -> None:
    """Take frames from the broker, classify, store, publish and receipt them, until stopped.

    With the setting `model` it follows that model's live version in the bucket; SIGUSR1 makes it
    look at once, and try again what it refused.
    """
    from cloud.worker.service import Worker  # onnxruntime takes its time to load

    settings = _settings(config)
    configure(json=settings.log_json)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        service = Worker(settings)
        loop.add_signal_handler(signal.SIGUSR1, service.look_at_registry)
        await service.run(stop)

    asyncio.run(serve())


@app.command()
def setup(config: Config = None) -> None:
    """Create the bucket, describe its prefixes, set its lifecycle; safe to repeat."""
    from cloud.setup import SetupError, set_up  # boto3 takes its time to load

    console = Console()
    try:
        set_up(_settings(config).store, lambda sentence: console.print(f"· {sentence}"))
    except SetupError as error:
        _end(error, 1)


@app.command()
def reindex(
    *,
    check: Annotated[bool, typer.Option("--check", help="only compare; change nothing")] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object, for programs")] = False,
    config: Config = None,
) -> None:
    """Make the projection anew from the bucket, and mend the one in use where it differs.

    Safe at any time, also while it is used. With --check it ends with 1 where they differ.
    """
    from cloud.index.command import run_reindex  # SQLAlchemy takes its time to load

    raise typer.Exit(run_reindex(_settings(config), mend=not check, as_json=json))


@app.command()
def verify(
    slide: Annotated[str | None, typer.Argument(help="token of one slide")] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="every slide that has reviews")] = False,
    site: Annotated[str | None, typer.Option(help="one site only")] = None,
    heads: Annotated[
        Path | None, typer.Option(help="an earlier --json output: finds also a cut-off end")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="a line of JSON each, for programs")] = False,
    config: Config = None,
) -> None:
    """Replay reviews and name each gap, change, reordering and removal.

    Ends with 0 where all is sound, 1 where anything is not, 2 for wrong settings.
    """
    from cloud.reviews.command import run_verify  # --help stays quick

    if every == (slide is not None):
        raise typer.BadParameter("name one slide, or say --all")
    raise typer.Exit(run_verify(_settings(config), slide, site, heads, json=json))


@app.command()
def report(
    slide: Annotated[str, typer.Argument(help="token of the slide")],
    *,
    fhir: Annotated[Path | None, typer.Option(help="write the FHIR R4 bundle to this file")] = None,
    pdf: Annotated[Path | None, typer.Option(help="write it on pages to this file")] = None,
    number: Annotated[
        int | None, typer.Option(help="entry that signed an earlier report; without: the last")
    ] = None,
    site: Annotated[str | None, typer.Option(help="its site; without: the setting")] = None,
    json: Annotated[bool, typer.Option("--json", help="all its facts, for programs")] = False,
    config: Config = None,
) -> None:
    """Show a slide's report as it stands in the bucket, and write it for a patient's file.

    Ends with 1 where there is no such report or its reviews were altered, 2 for wrong settings.
    """
    from cloud.reports.command import run_report  # FHIR's models take their time to load

    raise typer.Exit(
        run_report(_settings(config), slide, site, number=number, fhir=fhir, pdf=pdf, json=json)
    )


@app.command()
def outbox(
    *,
    again: Annotated[bool, typer.Option("--again", help="post what was refused once more")] = False,
    every: Annotated[
        bool, typer.Option("--every", help="post every signed report, to a server that is new")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="one JSON object, for programs")] = False,
    config: Config = None,
) -> None:
    """Show which signed reports wait, and which the FHIR server refused and why.

    What is to be posted again is posted by the reading room. Ends with 1 where some were refused
    and nobody said --again.
    """
    from cloud.signing.command import run_outbox  # --help stays quick

    raise typer.Exit(run_outbox(_settings(config), again=again, every=every, json=json))


@app.command()
def review(config: Config = None) -> None:
    """Serve the reading room: worklist, slides, signing. Until stopped by SIGTERM or Ctrl-C.

    On http://127.0.0.1:8740 unless the settings (page) say otherwise. Accounts are made with
    `leukoscope-cloud user add`.
    """
    from cloud.page.command import run_review  # FastAPI and SQLAlchemy take their time to load

    raise typer.Exit(run_review(_settings(config)))


@app.command()
def review_key(
    file: Annotated[Path, typer.Argument(help="where the private key will lie")],
) -> None:
    """Make the key that signs what readers do. No --config is asked for."""
    from cloud.reviews.command import run_review_key  # --help stays quick

    raise typer.Exit(run_review_key(file))


@app.command()
def push_key(
    file: Annotated[Path, typer.Argument(help="where the private key will lie")],
) -> None:
    """Make the key that push services know the reading room by. No --config is asked for."""
    from cloud.push.command import run_push_key  # --help stays quick

    raise typer.Exit(run_push_key(file))


@app.command()
def results(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="keep showing results as they come")],
    site: Annotated[str | None, typer.Option(help="one site only")] = None,
    json: Annotated[bool, typer.Option("--json", help="a line of JSON each, for programs")] = False,
    config: Config = None,
) -> None:
    """Show results as they are published; Ctrl-C ends it."""
    from cloud.follow import follow_lines, follow_table  # --help stays quick

    if not follow:
        raise typer.BadParameter("stored results are in the bucket; this shows live ones: --follow")
    settings = _settings(config)
    configure(json=False)
    try:
        if json:
            follow_lines(settings, site)
        else:
            follow_table(settings, site, Console())
    except KeyboardInterrupt:
        raise typer.Exit from None


def main() -> None:
    """Run the command line, and end it: see `cloud.stores.ending`."""
    try:
        _run()
    except SystemExit as ended:
        if "obstore" not in sys.modules:
            raise
        from cloud.stores.ending import code_of, end_with  # only where it matters

        end_with(code_of(ended))


def _run() -> None:
    """An error that a person can mend is one sentence, not a traceback."""
    try:
        app()
    except (SettingsError, ConnectionSetupError, TopicError, RegistryError) as error:
        _end(error, 2)
    except (BundleError, OSError) as error:
        _end(error, 1)


def _settings(config: Path | None) -> CloudSettings:
    return CloudSettings.load(config)


def _end(error: Exception, code: int) -> NoReturn:
    Console(stderr=True).print(
        f"[red]leukoscope-cloud:[/red] {error}", highlight=False, soft_wrap=True
    )
    sys.exit(code)


if __name__ == "__main__":
    main()
