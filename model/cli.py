"""`leukoscope-model`: train, export, verify."""

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from model.config import TrainingConfig
from model.errors import ModelError
from wire.manifest import BundleError, Manifest, Metric

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Train the AC-GAN, export it as a bundle, verify a bundle. Research use only.\n\n"
    "Exit codes: 0 done; 1 it could not be done, and the message on stderr says why; 2 the "
    "command line was wrong.",
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout, nothing else.")]
DEFAULTS = TrainingConfig()

notes = Console(stderr=True)


@app.command()
def train(
    out: Annotated[Path, typer.Option(help="Run folder to make; must not hold anything.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Source of real cells: index:FILE.csv. May be given several times."),
    ] = None,
    simulator: Annotated[
        int, typer.Option(min=0, help="White cells to cut from simulated fields.")
    ] = 0,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Source kept out of training and measured as an outside one."),
    ] = None,
    mode: Annotated[
        Literal["acgan", "plain"],
        typer.Option(help="`plain` trains the same discriminator by its class head: a control."),
    ] = DEFAULTS.mode,
    epochs: Annotated[int, typer.Option(min=1)] = DEFAULTS.epochs,
    steps: Annotated[int, typer.Option(min=1, help="Batches in an epoch.")] = DEFAULTS.steps,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = DEFAULTS.seed,
    threads: Annotated[int, typer.Option(min=1)] = DEFAULTS.threads,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other field of the configuration, such as rate=0.0005."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train, calibrate and measure. Needs the extra `model`.

    Leaves OUT with config.json, split.csv, history.jsonl, weights, predictions.csv and facts.json.

    Example: leukoscope-model train --out runs/first --data index:../shared/data/index.csv
    --simulator 2400
    """
    with _clear_errors():
        config = _config(
            {
                "data": data or [],
                "simulator": simulator,
                "leave_out": leave_out or [],
                "mode": mode,
                "epochs": epochs,
                "steps": steps,
                "seed": seed,
                "threads": threads,
            },
            settings or [],
        )
        from model.study import study

        command = shlex.join(["leukoscope-model", *sys.argv[1:]])
        with _progress() as report:
            facts = study(config, out, command, report)
    metrics = msgspec.convert(facts["metrics"], list[Metric])
    _show(as_json, facts, _metrics_table(f"{out}: {command}", metrics))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option(help="Bundle folder to write; a bundle there is replaced.")],
    beside: Annotated[
        list[Path] | None,
        typer.Option(help="Control run whose figures the card shows beside."),
    ] = None,
    version: Annotated[str, typer.Option(help="Version of the bundle.")] = "0.1.0",
    fields: Annotated[
        int,
        typer.Option(min=0, help="Simulated fields of each slide kind to test it on."),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Write classifier.onnx, MODEL_CARD.md and manifest.json.

    The graph is loaded with onnxruntime and compared with Keras first: where they differ by more
    than 1e-4, nothing is written and the exit code is 1.
    """
    with _clear_errors():
        from model.bundle import export as write
        from model.bundle import finished, verify

        controls = [finished(folder) for folder in beside or []]
        with _progress() as report:
            told = partial(report, "simulated fields")
            write(finished(run), controls, out, version, fields, told)
        manifest, digest = verify(out)
    _show_bundle(as_json, out, manifest, digest)


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")], as_json: Json = False
) -> None:
    """Check a bundle's digests and run its graph. Exit code 0: it is what its manifest says."""
    with _clear_errors():
        from model.bundle import verify as check

        manifest, digest = check(bundle)
    _show_bundle(as_json, bundle, manifest, digest)


def main() -> None:
    """The command `leukoscope-model`."""
    app(prog_name="leukoscope-model")


def _config(given: dict[str, Any], settings: list[str]) -> TrainingConfig:
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ModelError(f"--set {setting!r} is not NAME=VALUE")
        given[name] = value.split(",") if "," in value else value
    return TrainingConfig.model_validate(given)


@contextmanager
def _clear_errors() -> Iterator[None]:
    """Turn what a person can put right into a sentence and exit code 1."""
    try:
        yield
    except ValidationError as error:
        for fault in error.errors():
            where = ".".join(str(part) for part in fault["loc"])
            notes.print(f"[red]{where}[/]: {fault['msg']} (given: {fault['input']!r})")
        raise typer.Exit(1) from error
    except (ModelError, BundleError, OSError) as error:
        notes.print(f"[red]error:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def _progress() -> Iterator[Any]:
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


def _show_bundle(as_json: bool, folder: Path, manifest: Manifest, digest: str) -> None:
    facts = {"bundle": str(folder), "sha256": digest, "manifest": msgspec.to_builtins(manifest)}
    title = (
        f"{manifest.name} {manifest.version}, labels {', '.join(manifest.labels)}, "
        f"sha256 {digest}: sound"
    )
    _show(as_json, facts, _metrics_table(title, manifest.metrics))


def _show(as_json: bool, facts: dict[str, Any], table: Table) -> None:
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        Console().print(table)


def _metrics_table(title: str, metrics: list[Metric]) -> Table:
    table = Table("figure", "value", "95 % interval", "cells", "split", "control", title=title)
    for metric in metrics:
        interval = f"{metric.low:.3f} to {metric.high:.3f}"
        row = (metric.name, f"{metric.value:.3f}", interval, str(metric.n))
        table.add_row(*row, metric.split, metric.control)
    return table


if __name__ == "__main__":
    main()
