"""`leukoscope-model search` and `ablate`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from model.commands.shared import Json, clear_errors, progress_shown, show
from model.errors import ModelError
from model.presets import Mode, Preset, configured

Data = Annotated[
    list[str] | None,
    typer.Option(help="Source of real cells, such as index:FILE.csv. Any number of times."),
]
Simulator = Annotated[int | None, typer.Option(min=0, help="Cells to cut from simulated fields.")]
Base = Annotated[Preset, typer.Option(help="What is varied.")]
Config = Annotated[Path | None, typer.Option(help="TOML or JSON file of settings over it.")]
Epochs = Annotated[int | None, typer.Option(min=1)]
Steps = Annotated[int | None, typer.Option(min=0, help="Batches an epoch; 0: one pass.")]
Threads = Annotated[int | None, typer.Option(min=1)]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Any other setting, as NAME=VALUE.")
]


def search(
    storage: Annotated[
        str,
        typer.Option(help="Where trials are kept: sqlite:///search.db, or a server's URL."),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the report.")],
    data: Data = None,
    simulator: Simulator = None,
    study: Annotated[str, typer.Option(help="Name of the search in the storage.")] = "leukoscope",
    trials: Annotated[
        int, typer.Option(min=1, help="Ended trials of the study at which the search ends.")
    ] = 50,
    sizes: Annotated[
        list[int] | None, typer.Option(help="Sides of the input to choose from: 28, 48, 64.")
    ] = None,
    preset: Base = "reference",
    mode: Annotated[Mode, typer.Option(help="`plain` searches the classifier alone.")] = "acgan",
    config: Config = None,
    epochs: Epochs = None,
    steps: Steps = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Give each worker of a parallel search its own.")
    ] = None,
    threads: Threads = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Search architecture and hyperparameters with Optuna. Resumable; research use only.

    Chooses by balanced accuracy on the validation part; the test part is not looked at. Call it
    again with the same storage and study and it goes on; call it on several machines with one
    storage URL and they share the work. Leaves OUT with report.md, report.json, search.png and
    best.json, which `train --config` reads.

    Example: leukoscope-model search --storage sqlite:///search.db --out runs/search
    --data index:../shared/data/index.csv --trials 30 --epochs 6
    """
    with clear_errors():
        given: dict[str, Any] = {
            "data": data,
            "simulator": simulator,
            "epochs": epochs,
            "steps": steps,
            "seed": seed,
            "threads": threads,
        }
        base = configured(preset, mode, config, given, settings or [])
        from model.search import report as reports
        from model.search.search import Plan
        from model.search.search import search as run
        from model.search.space import REFERENCE, WIDTHS, Space

        space = Space(WIDTHS, tuple(sizes)) if sizes else REFERENCE
        with progress_shown() as told:
            done = run(Plan(base, space, storage, study, trials), told)
        found = reports.summary(done)
        if found is None:
            raise ModelError("every trial was pruned: there is nothing to report")
        reports.write(done, found, space, out)
    table = Table("trial", "balanced accuracy", "CPU ms a cell", title=f"{study}: Pareto front")
    for one in found.pareto:
        table.add_row(str(one.number), f"{one.balanced_accuracy:.3f}", f"{one.cpu_ms_a_cell:.2f}")
    show(as_json, {"report": str(out / "report.md"), **asdict(found)}, table)


def ablate(
    out: Annotated[Path, typer.Option(help="Folder for runs and report; taken up if begun.")],
    data: Data = None,
    simulator: Simulator = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each variation.")] = 3,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Variation to run, any number of times; all if not given."),
    ] = None,
    preset: Base = "reference",
    config: Config = None,
    epochs: Epochs = None,
    steps: Steps = None,
    threads: Threads = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Take one thing away at a time, over seeds, and say what it was worth. Research use only.

    Every run is on one split. Differences to the full configuration are paired by seed and stated
    on the validation part; the test part stands in columns of its own. Finished runs are kept.

    Example: leukoscope-model ablate --out runs/ablation --data index:../shared/data/index.csv
    --simulator 2400 --epochs 8 --seeds 3
    """
    with clear_errors():
        given: dict[str, Any] = {
            "data": data,
            "simulator": simulator,
            "epochs": epochs,
            "steps": steps,
            "threads": threads,
        }
        base = configured(preset, "acgan", config, given, settings or [])
        from model.search.ablation import FULL, ablate, variations

        wanted = variations(only)
        with progress_shown() as told:
            lines = ablate(base, wanted, seeds, out, told)
    table = Table("variation", "validation", f"against {FULL}", "test", title=str(out))
    for line in lines:
        table.add_row(*line.said())
    show(as_json, {"report": str(out), "variations": [asdict(line) for line in lines]}, table)
