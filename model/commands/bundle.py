"""`leukoscope-model export`, `verify` and `keys new`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from model.commands.shared import Json, clear_errors, metrics_table, notes, progress_shown, show
from wire.integrity import Findings, as_builtins

keys_app = typer.Typer(no_args_is_help=True, help="Keys that sign bundles.")


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
    sign_with: Annotated[
        Path | None,
        typer.Option(help="Private key (.key) of `keys new`. Workers refuse an unsigned bundle."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write the bundle: graphs, MODEL_CARD.md, manifest.json and the signature.

    The graph is loaded with onnxruntime and compared with Keras on 1,000 held-out cells and as
    many of noise first: where they differ by more than 1e-5, nothing is written and the exit code
    is 1.
    """
    with clear_errors():
        from model.bundle.export import export as write
        from model.bundle.export import finished
        from model.bundle.verify import findings

        controls = [finished(folder) for folder in beside or []]
        with progress_shown() as report:
            told = partial(report, "simulated fields")
            write(finished(run), controls, out, version, fields, told, sign_with=sign_with)
        found = findings(out, None)
    if sign_with is None:
        notes.print("[yellow]not signed:[/] workers refuse it. Give --sign-with KEY")
    _show(as_json, found)


def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")],
    key: Annotated[
        list[Path] | None,
        typer.Option(
            help="Public key (.pem) to trust. None given: leukoscope's own and those that "
            "`keys new` wrote."
        ),
    ] = None,
    allow_unsigned: Annotated[
        bool, typer.Option("--allow-unsigned", help="Do not ask who made it.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Check every file, the manifest and the signature of a bundle, and run its graph.

    Exit code 0: it is what its maker signed. 1: it is not, and the report names each file that was
    changed, is missing or was added.
    """
    with clear_errors():
        from model.bundle.verify import findings, trusted

        found = findings(bundle, None if allow_unsigned else trusted(key))
    _show(as_json, found)
    if not found.sound:
        raise typer.Exit(1)


@keys_app.command("new")
def new(
    out: Annotated[
        Path | None, typer.Option(help="Folder; none given: this user's folder of keys.")
    ] = None,
    name: Annotated[str, typer.Option(help="Of the two files.")] = "leukoscope",
    as_json: Json = False,
) -> None:
    """Make a key pair: NAME.key signs bundles (keep it secret), NAME.pem is what workers trust."""
    with clear_errors():
        from model.bundle.signing import new_keys
        from model.bundle.verify import own_keys

        pair = new_keys(out or own_keys(), name)
    table = Table("what", "where", title=f"key {pair.fingerprint[:12]}…")
    table.add_row("signs; keep it secret and out of every repository", str(pair.private))
    table.add_row("workers trust it: setting trusted_keys", str(pair.public))
    facts = {
        "private": str(pair.private),
        "public": str(pair.public),
        "fingerprint": pair.fingerprint,
    }
    show(as_json, facts, table)


def _show(as_json: bool, found: Findings) -> None:
    if found.sound and found.manifest is not None:
        title = (
            f"{found.manifest.name} {found.manifest.version}, labels "
            f"{', '.join(found.manifest.labels)}, sha256 {found.sha256}: sound, {_signed(found)}"
        )
        show(as_json, _facts(found), metrics_table(title, found.manifest.metrics))
    elif as_json:
        show(as_json, _facts(found), Table())
    else:
        _show_faults(found)


def _facts(found: Findings) -> dict[str, object]:
    plain = as_builtins(found)
    return {"bundle": plain.pop("folder"), **plain}


def _signed(found: Findings) -> str:
    return f"signed by {found.signed_by[:12]}…" if found.signed_by else "signature not asked for"


def _show_faults(found: Findings) -> None:
    table = Table("what", "file", title=f"{found.folder} is not sound")
    for what, names in (
        ("changed", found.changed),
        ("missing", found.missing),
        ("added", found.added),
    ):
        for name in names:
            table.add_row(what, escape(name))
    table.add_row("signature", found.signature)
    Console().print(table)
    for fault in found.faults:
        notes.print(f"[red]error:[/] {escape(fault)}", highlight=False, soft_wrap=True)
