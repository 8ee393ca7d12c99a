"""`leukoscope-model baseline`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from model.commands.shared import Json, clear_errors, metrics_table, progress_shown, show
from model.presets import Preset, configured
from wire.manifest import Metric


def baseline(
    name: Annotated[
        str,
        typer.Argument(
            help="vgg16, resnet50, densenet121, resnet50-svm, densenet121-svm, cnn, cnn-bare, "
            "histogram or border."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Run folder to make; must not hold anything.")],
    data: Annotated[
        list[str] | None,
        typer.Option(help="Source of real cells, such as index:FILE.csv. Any number of times."),
    ] = None,
    simulator: Annotated[
        int | None, typer.Option(min=0, help="White cells to cut from simulated fields.")
    ] = None,
    class_map: Annotated[
        list[str] | None, typer.Option("--map", help="FROM=TO, as `train` takes it.")
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(help="Source kept out of training and measured as an outside one."),
    ] = None,
    preset: Annotated[
        Preset, typer.Option(help="Of the input: `paper` is pictures resized whole to 28×28.")
    ] = "reference",
    weights: Annotated[
        str,
        typer.Option(
            help="First weights of VGG-16, ResNet-50 or DenseNet-121: a .h5 or .keras FILE "
            "without its top, or `imagenet` to download them. From scratch if not given."
        ),
    ] = "",
    side: Annotated[
        int, typer.Option(min=0, help="Pixels to which these enlarge their input; 0: the least.")
    ] = 0,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the training part.")] = 20,
    batch: Annotated[int, typer.Option(min=8)] = 32,
    augment: Annotated[
        bool, typer.Option(help="Show networks augmented cells, as the AC-GAN sees them.")
    ] = True,
    seed: Annotated[int | None, typer.Option(min=0, help="Of weights and batches.")] = None,
    threads: Annotated[int | None, typer.Option(min=1)] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A field of the training's configuration, such as size=32."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Fit what the AC-GAN has to be compared with, on the same cells and the same split.

    Leaves the run folder of a training, for `evaluate` and `compare`. Needs the extra `model`.
    Research use only.

    Example: leukoscope-model baseline densenet121 --out runs/densenet
    --data index:../shared/data/index.csv --weights densenet121_notop.h5
    """
    with clear_errors():
        given = {
            "data": data,
            "class_map": class_map,
            "simulator": simulator,
            "leave_out": leave_out,
            "seed": seed,
            "threads": threads,
        }
        cells = configured(preset, "acgan", None, given, settings or [])
        from model.baselines.baseline import BaselineConfig
        from model.baselines.study import study

        config = BaselineConfig(
            name=name,
            cells=cells,
            epochs=epochs,
            batch=batch,
            augment=augment,
            side=side,
            weights=weights,
        )
        with progress_shown() as report:
            command = shlex.join(["leukoscope-model", *sys.argv[1:]])
            facts = study(config, out, command, report)
    metrics = msgspec.convert(facts["metrics"], list[Metric])
    show(as_json, facts, metrics_table(f"{out}: {facts['title']}, {facts['weights']}", metrics))
