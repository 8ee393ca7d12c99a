"""`leukoscope-model export` and `verify`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from model.commands.shared import Json, clear_errors, metrics_table, progress_shown, show
from wire.manifest import Manifest


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
    with clear_errors():
        from model.bundle.export import export as write
        from model.bundle.export import finished, verify

        controls = [finished(folder) for folder in beside or []]
        with progress_shown() as report:
            told = partial(report, "simulated fields")
            write(finished(run), controls, out, version, fields, told)
        manifest, digest = verify(out)
    _show_bundle(as_json, out, manifest, digest)


def verify(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder.")], as_json: Json = False
) -> None:
    """Check a bundle's digests and run its graph. Exit code 0: it is what its manifest says."""
    with clear_errors():
        from model.bundle.export import verify as check

        manifest, digest = check(bundle)
    _show_bundle(as_json, bundle, manifest, digest)


def _show_bundle(as_json: bool, folder: Path, manifest: Manifest, digest: str) -> None:
    facts = {"bundle": str(folder), "sha256": digest, "manifest": msgspec.to_builtins(manifest)}
    title = (
        f"{manifest.name} {manifest.version}, labels {', '.join(manifest.labels)}, "
        f"sha256 {digest}: sound"
    )
    show(as_json, facts, metrics_table(title, manifest.metrics))
