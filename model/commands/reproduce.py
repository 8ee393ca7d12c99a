"""`leukoscope-model reproduce`."""

import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.table import Table

from model.commands.shared import Json, clear_errors, notes, progress_shown, show


def reproduce(
    data: Annotated[
        list[str],
        typer.Option(help="Source of real cells, such as all-idb:DIR. Any number of times."),
    ],
    aml: Annotated[
        list[str] | None,
        typer.Option(help="A folder of AML pictures, or KIND:WHERE of which AML is taken."),
    ] = None,
    unlabelled: Annotated[
        list[str] | None,
        typer.Option(help="Folder or source for the semi-supervised AC-GAN's source head."),
    ] = None,
    simulator: Annotated[
        int, typer.Option(min=0, help="Simulated cells, for the three classes alone.")
    ] = 0,
    class_map: Annotated[
        list[str] | None, typer.Option("--map", help="FROM=TO, as `train` takes it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pages.")] = Path("docs/results"),
    runs: Annotated[
        Path,
        typer.Option(help="Folder for the runs, which hold pictures of cells; finished ones stay."),
    ] = Path("runs/reproduce"),
    seeds: Annotated[int, typer.Option(min=1)] = 5,
    budget: Annotated[
        float, typer.Option(min=0, help="Minutes in all; passes and seeds are cut to fit. 0: none.")
    ] = 0,
    size: Annotated[int, typer.Option(min=28, help="Side of the input, in pixels.")] = 28,
    cut: Annotated[
        Literal["found", "whole"],
        typer.Option(help="`whole` resizes pictures, as the paper; `found` cuts as the cloud."),
    ] = "whole",
    at_most: Annotated[
        int, typer.Option(min=0, help="Cells of an experiment, drawn in equal shares; 0: all.")
    ] = 0,
    weights: Annotated[
        list[str] | None,
        typer.Option(help="NAME=FILE or NAME=imagenet, such as densenet121=notop.h5."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Trainings at a time.")] = os.cpu_count() or 1,
    small: Annotated[
        bool, typer.Option("--small", help="Tiny networks and one pass: tries the way alone.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be run and how long, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run the paper's two experiments again: its networks, its split, and splits that do not leak.

    ALL against Normal, and the three classes where there is AML: each network under a random 80:20
    split, by patient or parent image, and with a source left out where another shows its classes.
    Killed, it goes on where it was. Needs the extra `model`. Research use only.

    Example: leukoscope-model reproduce --data all-idb:ALL-IDB --aml ASH
    """
    with clear_errors():
        from model.reproduce.settings import Reproduction

        settings = Reproduction(
            data=tuple(data),
            aml=tuple(aml or ()),
            unlabelled=tuple(unlabelled or ()),
            simulator=simulator,
            class_map=tuple(class_map or ()),
            size=size,
            cut=cut,
            at_most=at_most,
            seeds=seeds,
            budget=budget,
            workers=workers,
            small=small,
            weights=tuple(weights or ()),
        )
        facts, table = _tried(settings) if dry_run else _done(settings, runs, out)
    show(as_json, facts, table)


def _tried(settings: Any) -> tuple[dict[str, Any], Table]:  # noqa: ANN401  # imported late
    from model.reproduce.experiments import read
    from model.reproduce.plan import jobs
    from model.reproduce.reproduce import planned

    with progress_shown() as report:
        wanted = planned(settings, read(settings, report))
    table = Table("run", "passes", "CPU seconds, about", title="What would be run")
    every = list(jobs(wanted.tasks))
    for job in every:
        table.add_row(job.folder, str(job.epochs), f"{job.seconds:.0f}")
    minutes = wanted.seconds / 60 / settings.workers
    table.caption = f"{len(every)} runs, about {minutes:.0f} minutes. " + " ".join(wanted.notes)
    listed = {job.folder: {"passes": job.epochs, "seconds": round(job.seconds)} for job in every}
    return {"runs": listed, "minutes": round(minutes, 1), "notes": wanted.notes}, table


def _done(settings: Any, runs: Path, out: Path) -> tuple[dict[str, Any], Table]:  # noqa: ANN401  # imported late
    from model.reproduce.reproduce import reproduce as run_all

    with progress_shown() as report:
        command = shlex.join(["leukoscope-model", *sys.argv[1:]])
        facts = run_all(settings, runs, out, command, report)
    table = Table("AC-GAN", "split", "seeds", "less its own discriminator, trained plainly")
    for told in facts.values():
        for one in told.get("beside_plain", ()) if isinstance(told, dict) else ():
            style = "red" if one["difference"] < 0 else ""
            figure = f"{one['difference']:+.3f} balanced accuracy"
            table.add_row(one["model"], one["split"], str(one["seeds"]), figure, style=style)
    notes.print(f"{out / 'index.md'}", highlight=False, soft_wrap=True)
    return facts, table
