"""`leukoscope-model publish`, `promote`, `rollback` and `models`."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from model.commands.shared import Json, clear_errors, notes, show
from model.errors import ModelError
from wire.manifest import Manifest
from wire.registry import Pointer, RegistryError
from wire.settings import SettingsError
from wire.words import RESEARCH_USE_ONLY

if TYPE_CHECKING:
    from model.registry.bucket import Bucket
    from model.registry.listing import Version
    from model.registry.pointer import Move

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Settings file (TOML) with a table `store`; `leukoscope up` writes one. Else "
        "LEUKOSCOPE_MODEL_CONFIG, or LEUKOSCOPE_MODEL_STORE__ENDPOINT and so on.",
    ),
]
Name = Annotated[str, typer.Argument(help="Name of the model in the registry.")]

SHOWN_FIGURES = ("balanced accuracy", "AUROC")
"""Beginnings of the figures that a list of versions has room for."""


def publish(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    name: Annotated[str | None, typer.Option(help="Other name than the manifest's.")] = None,
    version: Annotated[str | None, typer.Option(help="Other version than the manifest's.")] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="Public key (.pem) to trust. None given: leukoscope's own and those that "
            "`keys new` wrote."
        ),
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Do not ask who made it; workers will.")
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Verify a bundle and put it into the bucket, under models/NAME/VERSION. It is not live yet.

    A version is written once: the same bundle again is "already published", another is refused.
    """
    with _bucket(config) as bucket:
        from model.bundle.verify import trusted
        from model.registry.publish import publish as put

        keys = None if allow_unsigned else trusted(key)
        done = put(bundle, bucket, name, version, keys)
    if done.says != f"{done.name} {done.version}":
        notes.print(f"results will name it {done.says}, as its manifest does", highlight=False)
    title = f"{done.name} {done.version}: " + ("already published" if done.already else "published")
    facts = {field: getattr(done, field) for field in done.__dataclass_fields__}
    rows = {
        "sha256": done.sha256,
        "files": f"{done.files}, {done.size:,} bytes",
        "make it live": _typed("promote", done.name, done.version, config=config),
    }
    show(as_json, facts, _rows(title, rows))


def promote(
    name: Name,
    version: Annotated[str, typer.Argument(help="A published version.")],
    again: Annotated[
        bool,
        typer.Option("--again", help="Though it is live already: who refused it tries again."),
    ] = False,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Make a published version live: every worker that follows NAME fetches and verifies it.

    Refused where the version is not complete, and where somebody else moved the pointer meanwhile.
    """
    with _bucket(config) as bucket:
        from model.registry.pointer import promote as move

        done = move(bucket, name, version, again=again)
    _show_move(as_json, done, config)


def rollback(name: Name, config: Config = None, as_json: Json = False) -> None:
    """Make live again what was live before the last promotion."""
    with _bucket(config) as bucket:
        from model.registry.pointer import rollback as move

        done = move(bucket, name)
    _show_move(as_json, done, config)


def models(name: Name, config: Config = None, as_json: Json = False) -> None:
    """List the versions of a model, their figures, and which one is live."""
    with _bucket(config) as bucket:
        from model.registry.listing import versions

        found, pointer = versions(bucket, name)
        if not found:
            raise ModelError(f"there is no version of {name} in the bucket: publish one")
    facts = {
        "name": name,
        "live": msgspec.to_builtins(pointer),
        "versions": [msgspec.to_builtins(version) for version in found],
        "notice": RESEARCH_USE_ONLY,
    }
    show(as_json, facts, _versions_table(name, found, pointer))


@contextmanager
def _bucket(config: Path | None) -> Iterator["Bucket"]:
    """The registry's bucket; whatever a person can put right ends as a sentence."""
    with clear_errors():
        from model.registry.bucket import Bucket  # boto3 takes its time to load
        from model.registry.settings import ModelSettings

        try:
            settings = ModelSettings.load(config)
        except SettingsError as error:
            notes.print(f"[red]error:[/] {escape(str(error))}", highlight=False, soft_wrap=True)
            raise typer.Exit(2) from error
        try:
            with Bucket(settings.store) as bucket:
                yield bucket
        except RegistryError as error:
            raise ModelError(str(error)) from error


def _show_move(as_json: bool, move: "Move", config: Path | None) -> None:
    pointer, before = move.pointer, move.before
    facts = {
        "moved": move.moved,
        "live": msgspec.to_builtins(pointer),
        "before": msgspec.to_builtins(before),
    }
    how = "rolled back to" if pointer.moved_by == "rollback" and move.moved else "promoted"
    title = f"{pointer.name} {pointer.version}: {how}" + ("" if move.moved else " already")
    rows = {
        "sha256": pointer.sha256,
        "before": before.version if before else "nothing",
        "moved": f"{pointer.promoted_at:%Y-%m-%d %H:%M:%S} UTC by {pointer.by} "
        f"({pointer.moved_by} {pointer.number})",
        "workers": "verify it, then take it or say why not: /healthz, the topic …/models, the log",
        "back again": _typed("rollback", pointer.name, config=config)
        if pointer.previous
        else "nothing was live before it",
    }
    if not move.moved:
        promotion = ("promote", pointer.name, pointer.version, "--again")
        rows["refused?"] = _typed(*promotion, config=config)
    show(as_json, facts, _rows(title, rows))


def _typed(*words: str, config: Path | None) -> str:
    """A command, to be typed as it stands."""
    return shlex.join(["leukoscope-model", *words, *(["--config", str(config)] if config else [])])


def _versions_table(name: str, found: list["Version"], pointer: Pointer | None) -> Table:
    live = f"{pointer.version} is live" if pointer else "none is live"
    table = Table(
        "version", "", "sha256", "cells", "figures", title=f"{name}: {live}",
        caption=RESEARCH_USE_ONLY,
    )  # fmt: skip
    for version in found:
        table.add_row(
            version.version,
            "live" if version.live else "",
            (version.sha256 or "")[:12],
            f"{sum(version.manifest.trained_on.values()):,}" if version.manifest else "",
            _figures(version.manifest) if version.manifest else version.trouble,
        )
    return table


def _figures(manifest: Manifest) -> str:
    return "\n".join(
        f"{m.name} {m.value:.3f} ({m.low:.3f} to {m.high:.3f}), {m.split}"
        + (f"; {m.control}" if m.control else "")
        for m in manifest.metrics
        if m.name.startswith(SHOWN_FIGURES)
    )


def _rows(title: str, rows: dict[str, Any]) -> Table:
    table = Table(title=title, show_header=False, title_justify="left", caption=RESEARCH_USE_ONLY)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, str(value))
    return table
