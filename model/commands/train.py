"""`leukoscope-model train`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from model.commands.shared import Json, clear_errors, metrics_table, progress_shown, show
from model.config import TrainingConfig
from model.errors import ModelError
from model.presets import Mode, Preset, configured
from wire.manifest import Metric

DEFAULTS = TrainingConfig()


def train(
    out: Annotated[
        Path | None, typer.Option(help="Run folder to make; must not hold anything.")
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(help="Take up a killed training in its run folder; its settings hold."),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            help="KIND:WHERE, any number of times: index:FILE.csv, folder:DIR, all-idb:DIR, "
            "c-nmc:DIR, pbc:DIR or simulator:N."
        ),
    ] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(help="Folder or source of real cells whose labels are not looked at."),
    ] = None,
    simulator: Annotated[
        int | None, typer.Option(min=0, help="White cells to cut from simulated fields.")
    ] = None,
    class_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="FROM=TO: a class or cell type of the data is ALL, AML or Normal; FROM= leaves "
            "it out. Any number of times.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="group, kfold:I/K, leave-out:SOURCE, random (the paper's; leaks where cells share "
            "a patient, slide or parent image), or FILE.csv. Default: group."
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Source kept out of training and measured as an outside one."),
    ] = None,
    unlabel: Annotated[
        list[str] | None,
        typer.Option(
            help="Source that shows one class only: its labels measure, and teach nothing."
        ),
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="`paper` is Karar et al.'s configuration, to reproduce it.")
    ] = "reference",
    mode: Annotated[
        Mode,
        typer.Option(
            help="`plain`: the discriminator by its class head alone, a control. `supervised`: "
            "classes from generated cells too. `semi`: from real ones, the paper's switch."
        ),
    ] = "acgan",
    config: Annotated[
        Path | None, typer.Option(help="TOML or JSON file of settings, such as search writes.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help=f"Reference: {DEFAULTS.epochs}.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(min=0, help=f"Batches an epoch, 0: a pass. Reference: {DEFAULTS.steps}."),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Epochs without gain that end it; 0: never.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights and batches.")] = None,
    threads: Annotated[int | None, typer.Option(min=1)] = None,
    gpus: Annotated[int | None, typer.Option(min=0, help="GPUs to train on; 0: the CPU.")] = None,
    tensorboard: Annotated[
        bool | None, typer.Option("--tensorboard", help="Write to OUT/tensorboard as it goes.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other field of the configuration, such as rate=0.0005."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Train, calibrate and measure. Needs the extra `model`. Research use only.

    Leaves OUT with config.json, split.csv, history.jsonl, weights, predictions.csv and facts.json.
    Killed, it goes on from its last whole epoch with --resume OUT.

    Example: leukoscope-model train --out runs/first --data index:../shared/data/index.csv
    --simulator 2400
    """
    with clear_errors():
        given = {
            "data": data,
            "unlabelled_data": unlabelled,
            "class_map": class_map,
            "split": split,
            "simulator": simulator,
            "leave_out": leave_out,
            "unlabel": unlabel,
            "epochs": epochs,
            "steps": steps,
            "patience": patience,
            "seed": seed,
            "threads": threads,
            "gpus": gpus,
            "tensorboard": tensorboard,
        }
        folder = _folder(out, resume)
        if resume:
            _refuse_settings(given, config, settings)
        wanted = None if resume else configured(preset, mode, config, given, settings or [])
        facts = _trained(wanted, folder)
    metrics = msgspec.convert(facts["metrics"], list[Metric])
    show(as_json, facts, metrics_table(f"{folder}: {facts['command']}", metrics))


def _trained(config: TrainingConfig | None, folder: Path) -> dict[str, Any]:
    from model.training.study import resume, study

    command = shlex.join(["leukoscope-model", *sys.argv[1:]])
    with progress_shown() as report:
        if config is None:
            return resume(folder, command, report)
        return study(config, folder, command, report)


def _folder(out: Path | None, resume: Path | None) -> Path:
    if (out is None) == (resume is None):
        raise ModelError("give either --out FOLDER for a new training or --resume FOLDER")
    return out or resume or Path()


def _refuse_settings(
    given: dict[str, Any], config: Path | None, settings: list[str] | None
) -> None:
    named = [name for name, value in given.items() if value is not None]
    if named or config or settings:
        raise ModelError("--resume takes every setting from the run folder: give none beside it")
