"""`leukoscope-edge spool`: what waits, what was refused, and how to get it moving."""

import json as json_format
import logging
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from edge.settings import EdgeSettings
from edge.spool import Spool, open_spool
from edge.spool.export import export_spool
from wire.logs import configure

spool_app = typer.Typer(
    help="Captures that are saved and not yet receipted as stored.", no_args_is_help=True
)

Config = Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout")]


@spool_app.command()
def status(*, json: Json = False, config: Config = None) -> None:
    """Show what the spool holds."""
    spool = _open(config)
    if json:
        held = asdict(spool.status()) | {"frames": [asdict(entry) for entry in spool.entries()]}
        sys.stdout.write(json_format.dumps(held, indent=2) + "\n")
        return
    _show(spool, Console(markup=False))


@spool_app.command()
def retry(*, json: Json = False, config: Config = None) -> None:
    """Let refused frames wait again, and have the running agent send all of them at once."""
    waiting = _open(config).retry()
    if json:
        sys.stdout.write(json_format.dumps({"waiting": waiting}) + "\n")
    else:
        Console(markup=False).print(
            f"{waiting} frames wait to be sent; a running agent sends them now."
        )


@spool_app.command()
def export(folder: Path, *, json: Json = False, config: Config = None) -> None:
    """Write every frame to FOLDER (message, JPEG, JSON); the spool keeps them."""
    written = export_spool(_open(config), folder)
    if json:
        sys.stdout.write(json_format.dumps({"exported": written, "folder": str(folder)}) + "\n")
    else:
        Console(markup=False).print(
            f"{written} captures written to {folder}; they stay in the spool too."
        )


def _open(config: Path | None) -> Spool:
    settings = EdgeSettings.load(config)
    configure(json=settings.log_json, level=logging.WARNING)
    return open_spool(settings.spool_file)


def _show(spool: Spool, console: Console) -> None:
    held = spool.status()
    console.print(
        f"{held.waiting} waiting, {held.refused} refused, {held.payload_bytes / 2**20:.1f} MB; "
        f"{held.stored} stored in the last 90 days; {held.disk_free_mb} MB of disk free"
    )
    entries = spool.entries()
    if not entries:
        return
    table = Table(box=SIMPLE_HEAD)
    for column in ("capture", "saved", "state"):
        table.add_column(column, no_wrap=True)
    table.add_column("slide, and why it was refused", overflow="fold")
    for entry in entries[:50]:
        saved = datetime.fromtimestamp(entry.saved_at, UTC).strftime("%m-%d %H:%MZ")
        table.add_row(
            entry.capture_id, saved, entry.state, f"{entry.slide[:8]}… {entry.detail}".strip()
        )
    console.print(table)
    if len(entries) > 50:
        console.print(f"… and {len(entries) - 50} more (--json shows all)")
