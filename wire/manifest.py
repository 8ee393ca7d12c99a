"""The model bundle's manifest: all that `model` promises and `cloud` relies on.

A bundle is a folder: `classifier.onnx`, `manifest.json`, `MODEL_CARD.md`. Input of the ONNX graph:
`cells`, uint8, N×height×width×3, RGB. Outputs: `probabilities` float32 N×labels, `real` float32 N,
`activation` float32 N×h×w×labels (class-activation maps). Rescaling happens inside the graph.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

MANIFEST_SCHEMA: Final = 1
MANIFEST_NAME: Final = "manifest.json"
GRAPH_NAME: Final = "classifier.onnx"
CARD_NAME: Final = "MODEL_CARD.md"

Probability = Annotated[float, Meta(ge=0, le=1)]


class BundleError(ValueError):
    """A folder that is not a bundle, or not the bundle its manifest says it is."""


class Metric(Struct, frozen=True):
    """One figure with what makes it honest: its interval, its split and its control."""

    name: str
    value: float
    low: float
    high: float
    n: int
    split: str
    """Such as `by patient, held out` or `by slide seed, simulator`."""
    control: str = ""
    """The control beside it, such as `border-only probe 0.41`."""


class Manifest(Struct, frozen=True, kw_only=True):
    """What a bundle says of itself."""

    schema: int = MANIFEST_SCHEMA
    name: str
    version: str
    labels: Annotated[list[Literal["ALL", "AML", "Normal"]], Meta(min_length=2)]
    """Order of the probabilities."""
    height: Annotated[int, Meta(ge=8, le=1024)]
    width: Annotated[int, Meta(ge=8, le=1024)]
    input_kind: Literal["cell", "field"] = "cell"
    preprocessing: str
    temperature: Annotated[float, Meta(gt=0)] = 1.0
    """Already applied inside the graph; kept for the record."""
    abstain_below: Probability
    """Below this largest probability the answer is `unidentified`."""
    real_below: Probability = 0.0
    """Below this `real` output the answer is `unidentified`: unlike anything trained on."""
    data_digest: str
    metrics: list[Metric]
    trained_on: dict[str, int]
    """Cells per source, such as `pbc: 1500`."""
    command: str
    """The training command, to be typed again."""
    versions: dict[str, str]
    files: dict[str, str]
    """SHA-256, lower-case hex, of every other file of the bundle."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into `folder`, its `files` computed from what lies there now.

    Raises:
        ValueError: a figure is NaN or infinite, which JSON cannot carry, or out of its bounds.
    """
    files = {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path != folder / MANIFEST_NAME
    }
    plain = msgspec.to_builtins(msgspec.structs.replace(manifest, files=files))
    msgspec.convert(plain, Manifest)  # a Struct's constructor checks no bounds
    text = json.dumps(plain, indent=2, sort_keys=True, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read and verify a bundle; return its manifest and the bundle's SHA-256.

    The bundle's SHA-256 is that of `manifest.json`, which names the SHA-256 of all the rest.

    Raises:
        BundleError: the folder has no manifest, its schema is unknown, a file is missing,
            added or changed.
    """
    path = folder / MANIFEST_NAME
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} is not a model bundle: cannot read {path}: {error}") from error
    manifest = decode_manifest(raw, path)
    _verify(folder, manifest)
    return manifest, hashlib.sha256(raw).hexdigest()


class _Envelope(Struct):
    schema: int


def decode_manifest(raw: bytes, path: Path | str) -> Manifest:
    """Decode a manifest that lies at `path`, without a look at the files that it names.

    Raises:
        BundleError: it is none, or of an unknown schema.
    """
    try:
        schema = msgspec.json.decode(raw, type=_Envelope).schema
        if schema != MANIFEST_SCHEMA:
            raise BundleError(
                f"{path} has schema {schema}; this program reads {MANIFEST_SCHEMA}: "
                "update leukoscope or export the bundle again"
            )
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is not a bundle manifest: {error}") from error


def _verify(folder: Path, manifest: Manifest) -> None:
    if GRAPH_NAME not in manifest.files:
        raise BundleError(f"{folder}: the manifest names no {GRAPH_NAME}")
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    found.discard(MANIFEST_NAME)
    if missing := sorted(manifest.files.keys() - found):
        raise BundleError(f"{folder} lacks {', '.join(missing)}: fetch or export the bundle again")
    if added := sorted(found - manifest.files.keys()):
        raise BundleError(f"{folder} has files its manifest does not name: {', '.join(added)}")
    for name, expected in manifest.files.items():
        if _sha256(folder / name) != expected:
            raise BundleError(
                f"{folder / name} is not the file the manifest names "
                f"(SHA-256 differs from {expected[:12]}…): fetch or export the bundle again"
            )


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
