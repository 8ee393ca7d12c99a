"""`leukoscope-model sample` and `ood`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table

from model.commands.shared import Json, clear_errors, progress_shown, show
from model.errors import ModelError
from wire.manifest import MANIFEST_NAME

if TYPE_CHECKING:
    from model.bundle.ood import Kept
    from model.bundle.strangeness import Answered, OfRun

RUO = "Research use only."


def sample(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    out: Annotated[Path, typer.Option(help="Picture to write, PNG.")],
    each: Annotated[int, typer.Option(min=1, max=64, help="Cells of each class.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of the noise.")] = 1,
    as_json: Json = False,
) -> None:
    """Draw cells of each class with the bundle's generator: what the GAN learned."""
    with clear_errors():
        from model.bundle.sample import sample as draw

        manifest = draw(bundle, out, each, seed)
    table = Table("picture", "cells of each class", title=f"{manifest.name} {manifest.version}")
    table.add_row(str(out), str(each))
    show(as_json, {"picture": str(out), "each": each, "seed": seed}, table)


def ood(
    of: Annotated[Path, typer.Argument(metavar="RUN_OR_BUNDLE", help="Run or bundle folder.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with bccd and pbc, for red cells and platelets."),
    ] = None,
    learn: Annotated[
        bool,
        typer.Option(
            "--learn-platelets",
            help="Of a run: let it know half of the platelets of --data as strangers, for the "
            "next export; the other half measures.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure how well red cells, platelets, empty places, blur and photographs are found.

    Of a run: every candidate score, by AUROC and by the share found while 95 and 98 % of the
    validation cells are kept. Of a bundle: what it would answer.
    """
    with clear_errors():
        if data is not None and not data.is_dir():
            raise ModelError(f"{data} is no folder: give one with bccd and pbc in it")
        if learn and (data is None or (of / MANIFEST_NAME).exists()):
            raise ModelError("--learn-platelets needs a run and --data DIR, which has pbc in it")
        from model.bundle.strangeness import of_bundle, of_run

        with progress_shown() as report:
            if (of / MANIFEST_NAME).exists():
                answered = of_bundle(of, data, partial(report, "strangers"))
                facts = {"bundle": str(of), "strangers": msgspec.to_builtins(answered)}
                table = _answers(of, answered)
            else:
                found = of_run(of, data, report, data if learn else None)
                facts = {"run": str(of), **msgspec.to_builtins(found)}
                table = _comparison(of, found)
    show(as_json, facts, table)


def _answers(of: Path, answered: "list[Answered]") -> Table:
    table = Table(
        "strangers",
        "cells",
        "above ood_above",
        "answered unidentified",
        title=f"{of}: what it answers to strangers",
        caption=RUO,
    )
    for one in answered:
        table.add_row(one.strangers, str(one.n), f"{one.found:.3f}", f"{one.unidentified:.3f}")
    return table


def _comparison(of: Path, found: "OfRun") -> Table:
    kept = {name: _kept(some) for name, some in found.kept.items()}
    table = Table(
        "strangers",
        "score",
        "AUROC",
        "found, 95 % kept",
        "found, 98 % kept",
        title=f"{of}: strangers against held-out cells",
        caption=f"{RUO} Held-out cells below the threshold of 98 %: "
        + "; ".join(f"{name}: {shares}" for name, shares in kept.items()),
    )
    for one in found.detections:
        shares = [f"{one.detected[keep]:.3f}" for keep in ("0.95", "0.98")]
        table.add_row(f"{one.strangers} ({one.n})", one.score, f"{one.auroc:.3f}", *shares)
    return table


def _kept(some: "list[Kept]") -> str:
    return ", ".join(f"{one.source} {one.share:.3f}" for one in some)
