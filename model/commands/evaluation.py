"""`leukoscope-model evaluate` and `compare`: from predictions alone, without TensorFlow."""

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from model.commands.shared import Json, clear_errors, notes, show


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the report; RUN/report if not given.")
    ] = None,
    pictures: Annotated[
        bool,
        typer.Option(help="Show the worst errors, where the run kept its cells."),
    ] = True,
    as_json: Json = False,
) -> None:
    """Measure a run: report.html, report.md, report.json and pictures.

    Every figure has its interval, its split and its border-only control. A report that shows cells
    of a data set says so: do not pass it on. Nothing else in it shows a cell.

    Example: leukoscope-model evaluate runs/first
    """
    with clear_errors():
        from model.evaluation.evaluate import evaluate_run

        folder = out or run / "report"
        report = evaluate_run(run, folder, pictures=pictures)
    table = Table("scope", "cells", "accuracy", "95 % interval", "how", title=report.title)
    for scores in report.scopes:
        value, low, high = scores.accuracy
        row = (scores.scope, str(scores.cells), f"{value:.3f}", f"{low:.3f} to {high:.3f}")
        table.add_row(*row, scores.interval)
    show(as_json, {"report": str(folder), **_plain(report)}, table)
    _told(report.leak, folder)


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(help="Folders of finished runs; the others are tested against the first."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    title: Annotated[str, typer.Option(help="Of the report.")] = "Models compared",
    as_json: Json = False,
) -> None:
    """Set runs beside each other and beside the paper: report.html, .md, .json and pictures.

    Runs with one title and split that differ in seed or fold become one line. A split that leaks
    stands in red. The report shows no cell.

    Example: leukoscope-model compare runs/first runs/plain --out runs/compared
    """
    with clear_errors():
        from model.evaluation.compare import compare_runs

        comparison = compare_runs(runs, out, title)
    table = Table("model", "split", "runs", "accuracy", "95 % interval", title=title)
    for one in comparison.entries:
        value, low, high = one.scopes[0].accuracy
        style = "red" if one.leak else ""
        row = (one.title, one.split, str(len(one.runs)), f"{value:.3f}", f"{low:.3f} to {high:.3f}")
        table.add_row(*row, style=style)
    show(as_json, {"report": str(out), **_plain(comparison)}, table)
    _told("In red: a split that leaks." if any(one.leak for one in comparison.entries) else "", out)


def _plain(report: object) -> Any:  # noqa: ANN401  # whatever JSON holds
    """As JSON has it: what has no value is null, not NaN."""
    return msgspec.json.decode(msgspec.json.encode(report))


def _told(warning: str, folder: Path) -> None:
    if warning:
        notes.print(f"[red]{warning}[/]", highlight=False)
    notes.print(f"{folder / 'report.html'}", highlight=False, soft_wrap=True)
