"""`leukoscope-model data check` and `data draw`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from model.commands.shared import Json, clear_errors, notes, progress_shown
from model.config import TrainingConfig
from model.errors import ModelError
from wire.words import RESEARCH_USE_ONLY

data_app = typer.Typer(
    no_args_is_help=True, help="Look at data before training on them. Research use only."
)


@data_app.command()
def check(
    data: Annotated[
        list[str],
        typer.Option(
            help="KIND:WHERE, any number of times: index:FILE.csv, folder:DIR, all-idb:DIR, "
            "all-idb1:DIR, all-idb2:DIR, c-nmc:DIR, pbc:DIR, pictures:DIR or simulator:N."
        ),
    ],
    class_map: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="FROM=TO: a class or cell type of the data is ALL, AML or Normal; FROM= leaves "
            "it out. Any number of times.",
        ),
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="group, kfold:I/K, leave-out:SOURCE, random, FILE.csv or leaky:FILE.csv"),
    ] = "group",
    leave_out: Annotated[list[str] | None, typer.Option(help="Source kept outside.")] = None,
    size: Annotated[int, typer.Option(min=28, help="Side of a cut, in pixels.")] = 64,
    whole: Annotated[
        bool, typer.Option("--whole", help="Take pictures whole, as the paper does.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the split.")] = 2348,
    threads: Annotated[int, typer.Option(min=1)] = 2,
    picture: Annotated[Path | None, typer.Option(help="PNG file to write.")] = None,
    as_json: Json = False,
) -> None:
    """Count, look for duplicates and metadata, and ask whether class follows source.

    What is red makes figures from these data suspect; the exit code is 0 all the same. Of metadata
    the names are shown, never what they say.

    Example: leukoscope-model data check --data index:../shared/data/index.csv --picture check.png
    """
    with clear_errors():
        config = TrainingConfig(
            data=tuple(data),
            class_map=tuple(class_map or ()),
            split=split,
            leave_out=tuple(leave_out or ()),
            size=size,
            cut="whole" if whole else "found",
            variants=1,
            split_seed=seed,
            threads=threads,
        )
        _check(config, picture, as_json)


@data_app.command()
def draw(
    folder: Annotated[Path, typer.Argument(help="To make; must not hold anything.")],
    cells: Annotated[int, typer.Option(min=1, help="White cells, a picture each.")] = 60,
    seed: Annotated[int, typer.Option(min=0, help="Of the first slide.")] = 1,
    as_json: Json = False,
) -> None:
    r"""Draw a folder of simulated cells, a folder a class, to try the other commands on.

    Example: leukoscope-model data draw images --cells 60, then --data
    'folder:images?group=^(s\d+)_'
    """
    with clear_errors():
        from model.data.drawn import GROUP, draw_folder

        with progress_shown() as report:
            drawn = draw_folder(folder, cells, seed, lambda done, all_: report("cells", done, all_))
    if as_json:
        typer.echo(json.dumps({"folder": str(folder), "cells": drawn, "group": GROUP}))
    else:
        notes.print(f"{drawn} simulated cells in {folder}. Research use only.", highlight=False)


def _check(config: TrainingConfig, picture: Path | None, as_json: bool) -> None:
    from model.data.check.check import judged, look
    from model.data.check.text import text

    if picture and picture.suffix.lower() != ".png":
        raise ModelError(f"--picture {picture}: write a name that ends in .png")
    with progress_shown() as report:
        looked = look(config, report)
    found = judged(config, looked)
    if picture:
        from model.data.check.picture import save_picture

        save_picture(found, looked.seen, picture)
        notes.print(f"wrote {picture}", highlight=False)
    if as_json:
        typer.echo(json.dumps(asdict(found) | {"notice": RESEARCH_USE_ONLY}, ensure_ascii=False))
    else:
        Console().print(text(found))
