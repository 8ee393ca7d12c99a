"""`leukoscope-model train`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import typer

from model.commands.shared import Json, clear_errors, metrics_table, progress_shown, show
from model.config import TrainingConfig
from model.errors import ModelError
from wire.manifest import Metric

DEFAULTS = TrainingConfig()


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
    with clear_errors():
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
        from model.training.study import study

        command = shlex.join(["leukoscope-model", *sys.argv[1:]])
        with progress_shown() as report:
            facts = study(config, out, command, report)
    metrics = msgspec.convert(facts["metrics"], list[Metric])
    show(as_json, facts, metrics_table(f"{out}: {command}", metrics))


def _config(given: dict[str, Any], settings: list[str]) -> TrainingConfig:
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise ModelError(f"--set {setting!r} is not NAME=VALUE")
        given[name] = value.split(",") if "," in value else value
    return TrainingConfig.model_validate(given)
