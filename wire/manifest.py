"""The model bundle's manifest: all that `model` promises and `cloud` relies on.

A bundle is a folder: `classifier.onnx`, `manifest.json`, `MODEL_CARD.md`, `model.sig` (see
wire/signature.py) and, where it has them, `classifier.int8.onnx` and `generator.onnx`. Input of the
ONNX graph: `cells`, uint8, N×height×width×3, RGB. Outputs: `probabilities` float32 N×labels, `real`
float32 N, `activation` float32 N×h×w×labels (class-activation maps) and, where the manifest has
`ood_above`, `ood` float32 N. Rescaling happens inside the graph.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from wire.signature import SIGNATURE_NAME

MANIFEST_SCHEMA: Final = 2
READ_SCHEMAS: Final = (1, 2)
"""2 has `ood_above`, which a reader must know: it would name strangers otherwise."""

MANIFEST_NAME: Final = "manifest.json"
GRAPH_NAME: Final = "classifier.onnx"
CARD_NAME: Final = "MODEL_CARD.md"
INT8_NAME: Final = "classifier.int8.onnx"
GENERATOR_NAME: Final = "generator.onnx"

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
    ood_score: str = ""
    """What the output `ood` is, such as `mahalanobis`; empty where there is none."""
    ood_above: float | None = None
    """Above this `ood` output the answer is `unidentified`: no cell like those trained on."""
    conformal_level: Probability | None = None
    """Wanted chance that the right class is in a cell's set; None where no set was calibrated."""
    conformal_threshold: Probability | None = None
    """A class of at least this probability belongs to the cell's set, and the likeliest always."""
    int8: str | None = None
    """File of the quantised graph, which has the same input and outputs; None: not written."""
    generator: str | None = None
    """File of the generator's graph; None: not written."""
    data_digest: str
    weights_digest: str = ""
    """SHA-256 of the exported network's weights, float32 little-endian, in Keras' order."""
    metrics: list[Metric]
    trained_on: dict[str, int]
    """Cells per source and class, such as `pbc Normal: 1500`."""
    licences: dict[str, str] = {}
    """Licence of each source that it was trained or measured on."""
    command: str
    """The training command, to be typed again."""
    versions: dict[str, str]
    files: dict[str, str]
    """SHA-256, lower-case hex, of every other file of the bundle but the signature."""


class Differences(NamedTuple):
    """Names of files that are not as they should be."""

    changed: list[str]
    missing: list[str]
    added: list[str]

    def sentences(self, folder: Path) -> list[str]:
        """What is wrong with the bundle at `folder`; nothing where nothing is."""
        said = []
        if self.missing:
            said.append(f"{folder} lacks {', '.join(self.missing)}")
        if self.added:
            said.append(f"{folder} has files its manifest does not name: {', '.join(self.added)}")
        said += [
            f"{folder / name} is not the file the {_namer(name)} names (its SHA-256 differs)"
            for name in self.changed
        ]
        return said


def _namer(name: str) -> str:
    return "signature" if name == MANIFEST_NAME else "manifest"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest.json` into `folder`, its `files` computed from what lies there now.

    A signature that lies there is removed: it is of another manifest.

    Raises:
        ValueError: a figure is NaN or infinite, which JSON cannot carry, or out of its bounds.
    """
    files = {
        name: sha256_of(folder / name)
        for name in sorted(bundle_files(folder) - {MANIFEST_NAME, SIGNATURE_NAME})
    }
    now = msgspec.structs.replace(manifest, files=files, schema=MANIFEST_SCHEMA)
    plain = msgspec.to_builtins(now)
    msgspec.convert(plain, Manifest)  # a Struct's constructor checks no bounds
    text = json.dumps(plain, indent=2, sort_keys=True, allow_nan=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8")
    (folder / SIGNATURE_NAME).unlink(missing_ok=True)


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read a bundle and check its digests; return its manifest and the bundle's SHA-256.

    The bundle's SHA-256 is that of `manifest.json`, which names the SHA-256 of all the rest. Who
    made it is another question: see `wire.integrity`.

    Raises:
        BundleError: the folder has no manifest, its schema is unknown, a file is missing,
            added or changed.
    """
    raw = read_raw(folder)
    manifest = decode_manifest(raw, folder / MANIFEST_NAME)
    if GRAPH_NAME not in manifest.files:
        raise BundleError(f"{folder}: the manifest names no {GRAPH_NAME}")
    if said := differences(folder, manifest.files).sentences(folder):
        raise BundleError(f"{'; '.join(said)}: fetch or export the bundle again")
    return manifest, hashlib.sha256(raw).hexdigest()


def read_raw(folder: Path) -> bytes:
    """The manifest's bytes.

    Raises:
        BundleError: there are none.
    """
    path = folder / MANIFEST_NAME
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{folder} is not a model bundle: cannot read {path}: {error}") from error


def differences(folder: Path, expected: dict[str, str]) -> Differences:
    """How the files of a bundle differ from `expected`, a SHA-256 by name.

    The signature is never looked at; the manifest only where `expected` names it.
    """
    found = bundle_files(folder) - {SIGNATURE_NAME}
    if MANIFEST_NAME not in expected:
        found.discard(MANIFEST_NAME)
    common = sorted(found & expected.keys())
    return Differences(
        changed=[name for name in common if sha256_of(folder / name) != expected[name]],
        missing=sorted(expected.keys() - found),
        added=sorted(found - expected.keys()),
    )


def bundle_files(folder: Path) -> set[str]:
    """Names of all files, relative to the folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class _Envelope(Struct):
    schema: int


def decode_manifest(raw: bytes, path: Path | str) -> Manifest:
    """Decode a manifest that lies at `path`, without a look at the files that it names.

    Raises:
        BundleError: it is none, or of an unknown schema.
    """
    try:
        schema = msgspec.json.decode(raw, type=_Envelope).schema
        if schema not in READ_SCHEMAS:
            raise BundleError(
                f"{path} has schema {schema}; this program reads "
                f"{' and '.join(map(str, READ_SCHEMAS))}: "
                "update leukoscope or export the bundle again"
            )
        return msgspec.json.decode(raw, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path} is not a bundle manifest: {error}") from error
