"""`leukoscope-edge doctor`."""

import json as json_format
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from edge.doctor.finding import Finding, State
from wire.logs import configure
from wire.words import RESEARCH_USE_ONLY

_SHOWN: Final[dict[State, str]] = {
    "ok": "[green]✓ ok[/green]",
    "warning": "[yellow]! warning[/yellow]",
    "wrong": "[red]✗ wrong[/red]",
}


def doctor(
    *,
    json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    config: Annotated[Path | None, typer.Option("--config", help="settings file (TOML)")] = None,
) -> None:
    """Look at everything this station needs: each ok, or what to do. Changes nothing.

    Exit code 1 when something is wrong; warnings leave it 0.
    """
    from edge.doctor.examine import examine  # the checks load what they check

    configure(json=False, level=logging.CRITICAL)  # what is wrong stands in the table
    found: list[Finding] = []
    with Console(stderr=True).status("looking …") as progress:
        for finding in examine(config):
            found.append(finding)
            progress.update(f"looked at {finding.check} …")
    if json:
        sys.stdout.write(json_format.dumps(_report(found), indent=2) + "\n")
    else:
        Console().print(_table(found))
    raise typer.Exit(1 if _is_wrong(found) else 0)


def _is_wrong(found: list[Finding]) -> bool:
    return any(finding.state == "wrong" for finding in found)


def _report(found: list[Finding]) -> dict[str, object]:
    return {
        "notice": RESEARCH_USE_ONLY,
        "ok": not _is_wrong(found),
        "findings": [asdict(finding) for finding in found],
    }


def _table(found: list[Finding]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_lines=True, caption=RESEARCH_USE_ONLY, caption_style="dim")
    table.add_column("check", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("what is, and what to do", overflow="fold")
    for finding in found:
        told = escape(finding.found)
        if finding.remedy:
            told += f"\n[bold]→ {escape(finding.remedy)}[/bold]"
        table.add_row(finding.check, _SHOWN[finding.state], told)
    return table
