"""What every command does alike: errors as sentences, progress, tables and JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from model.errors import ModelError
from wire.manifest import BundleError, Metric

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]

notes = Console(stderr=True)


@contextmanager
def clear_errors() -> Iterator[None]:
    """Turn what a person can put right into a sentence and exit code 1."""
    try:
        yield
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join(str(part) for part in fault["loc"])
            notes.print(f"[red]{where}[/]: {fault['msg']} (given: {fault['input']!r})")
        raise typer.Exit(1) from error
    except (ModelError, BundleError, OSError) as error:
        notes.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def progress_shown() -> Iterator[Any]:
    """Give a `Report` that shows a bar a stage on stderr."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[word]}"),
    )
    with Progress(*columns, console=notes) as progress:
        stages: dict[str, Any] = {}

        def report(stage: str, done: int, total: int, word: str = "") -> None:
            if stage not in stages:
                stages[stage] = progress.add_task(stage, total=total, word=word)
            progress.update(stages[stage], completed=done, total=total, word=word)

        yield report


def show(as_json: bool, facts: dict[str, Any], table: Table) -> None:
    """Print the facts for a program, or the table for a person."""
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        Console().print(table)


def metrics_table(title: str, metrics: list[Metric]) -> Table:
    """A row a figure, with its interval, split and control."""
    table = Table("figure", "value", "95 % interval", "cells", "split", "control", title=title)
    for metric in metrics:
        interval = f"{metric.low:.3f} to {metric.high:.3f}"
        row = (metric.name, f"{metric.value:.3f}", interval, str(metric.n))
        table.add_row(*row, metric.split, metric.control)
    return table
