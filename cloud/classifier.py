"""The model bundle at work: one onnxruntime session, shared by all threads."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import onnxruntime
import structlog

from imaging.crop import PREPROCESSING_ID
from imaging.types import Cells
from wire.integrity import read_bundle
from wire.manifest import GRAPH_NAME, BundleError, Manifest
from wire.messages import ModelRef
from wire.signature import REFERENCE_KEYS, PublicKeyError, load_keys
from wire.words import Label

SHIPPED_BUNDLE: Final = Path(__file__).parent / "bundle"
"""The reference bundle that comes with leukoscope."""

_ACTIVATION: Final = "activation"

_log = structlog.get_logger("cloud.classifier")


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose bundles are taken: the settings `trusted_keys` and `allow_unsigned`."""

    keys: tuple[Path, ...] = ()
    """Public keys, PEM, beside those that come with leukoscope."""
    allow_unsigned: bool = False


LEUKOSCOPE_ALONE: Final = Trust()


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What one white cell is suggested to be."""

    label: Label
    probability: float
    """Of the likeliest class, 0 to 1."""
    probabilities: dict[str, float]
    real: float
    """The source head's belief that the cell is like those it was trained on, 0 to 1."""


class Classifier:
    """Classifies cells with a verified bundle. Thread-safe.

    Args:
        folder: of the bundle.
        trust: whose signature it has to bear.

    Raises:
        BundleError: the bundle is altered, unsigned or signed by an unknown key, of an unknown
            schema or preprocessing, or its graph does not have the promised input and outputs.
    """

    def __init__(self, folder: Path = SHIPPED_BUNDLE, trust: Trust = LEUKOSCOPE_ALONE) -> None:
        manifest, digest = _read(folder, trust)
        _check_preprocessing(folder, manifest)
        self._session = _open_session(folder, manifest)
        self._outputs = ["probabilities", "real"] + ["ood"] * (manifest.ood_above is not None)
        _check_graph(folder, self._session, self._outputs)
        _try_out(folder, self._session, self._outputs, manifest)
        self.manifest = manifest
        self.model = ModelRef(manifest.name, manifest.version, digest)

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width of a cell, in pixels."""
        return self.manifest.height, self.manifest.width

    def classify(self, cells: Cells) -> list[Suggestion]:
        """Suggest a class for each cell.

        Args:
            cells: uint8, N×height×width×3, RGB; N may be 0.

        Returns:
            N suggestions, in order.
        """
        if len(cells) == 0:
            return []
        probabilities, real, *ood = self._session.run(self._outputs, {"cells": cells})
        strangers = self._strangers(ood[0]) if ood else [False] * len(cells)
        return [
            self._suggestion(row.tolist(), float(score), stranger)
            for row, score, stranger in zip(probabilities, np.ravel(real), strangers, strict=True)
        ]

    def activations(self, cells: Cells) -> npt.NDArray[np.float32]:
        """Class-activation maps of each cell.

        Args:
            cells: as `classify` takes them.

        Returns:
            float32, N×h×w×labels: logits of each class, place by place, before any temperature.

        Raises:
            BundleError: the graph gives none.
        """
        if not any(output.name == _ACTIVATION for output in self._session.get_outputs()):
            raise BundleError(f"{self.model.name} {self.model.version} gives no activation maps")
        if len(cells) == 0:
            return np.empty((0, 1, 1, len(self.manifest.labels)), np.float32)
        maps: npt.NDArray[np.float32] = self._session.run([_ACTIVATION], {"cells": cells})[0]
        if maps.ndim != 4 or maps.shape[::3] != (len(cells), len(self.manifest.labels)):
            raise BundleError(
                f"{self.model.name} {self.model.version} gives activation maps of shape "
                f"{maps.shape}"
            )
        return maps

    def _strangers(self, ood: npt.NDArray[np.float32]) -> list[bool]:
        # Written so that a score that is not a number is a stranger's.
        below: npt.NDArray[np.bool_] = np.ravel(ood) <= np.float32(self.manifest.ood_above or 0)
        return [not kept for kept in below.tolist()]

    def _suggestion(self, row: Sequence[float], real: float, stranger: bool) -> Suggestion:
        best = max(range(len(row)), key=row.__getitem__)
        likely = row[best] >= self.manifest.abstain_below and real >= self.manifest.real_below
        sure = likely and not stranger
        return Suggestion(
            label=self.manifest.labels[best] if sure else "unidentified",
            probability=_rounded(row[best]),
            probabilities={
                label: _rounded(p) for label, p in zip(self.manifest.labels, row, strict=True)
            },
            real=_rounded(real),
        )


def _read(folder: Path, trust: Trust) -> tuple[Manifest, str]:
    try:
        keys = load_keys([*REFERENCE_KEYS, *trust.keys])
    except PublicKeyError as error:
        raise BundleError(f"setting trusted_keys: {error}") from error
    manifest, digest = read_bundle(folder, keys, allow_unsigned=trust.allow_unsigned)
    if trust.allow_unsigned:
        _log.warning("unsigned_bundles_allowed", folder=str(folder), sha256=digest)
    return manifest, digest


def _rounded(probability: float) -> float:
    """Four places say more than the model knows, and stay readable."""
    return min(1.0, max(0.0, round(probability, 4)))


def _open_session(folder: Path, manifest: Manifest) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Spinning threads burn 40 ms of CPU a frame waiting for work (DESIGN.md, measured).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    graph = (folder / GRAPH_NAME).read_bytes()
    if hashlib.sha256(graph).hexdigest() != manifest.files[GRAPH_NAME]:
        raise BundleError(f"{folder / GRAPH_NAME} changed while it was being loaded: try again")
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own kinds have no common base but this
        raise BundleError(
            f"{folder}: onnxruntime cannot load {GRAPH_NAME} ({error}): export the bundle again"
        ) from error


def _check_preprocessing(folder: Path, manifest: Manifest) -> None:
    if manifest.preprocessing != PREPROCESSING_ID:
        raise BundleError(
            f"{folder} wants cells prepared as {manifest.preprocessing!r}; this program does "
            f"{PREPROCESSING_ID!r}: export the bundle again or install the leukoscope it is from"
        )
    if manifest.input_kind != "cell":
        raise BundleError(f"{folder} wants {manifest.input_kind!r} input; this worker sends cells")


def _check_graph(
    folder: Path, session: onnxruntime.InferenceSession, wanted: Sequence[str]
) -> None:
    inputs = [(i.name, i.type) for i in session.get_inputs()]
    if inputs != [("cells", "tensor(uint8)")]:
        raise BundleError(f"{folder}: the graph's input is {inputs}, not uint8 'cells'")
    outputs = {output.name for output in session.get_outputs()}
    if missing := set(wanted) - outputs:
        raise BundleError(f"{folder}: the graph has no output {', '.join(sorted(missing))}")


def _try_out(
    folder: Path,
    session: onnxruntime.InferenceSession,
    outputs: Sequence[str],
    manifest: Manifest,
) -> None:
    """Classify two blank cells: a graph of another size or other labels shows here, not at work."""
    blank = np.zeros((2, manifest.height, manifest.width, 3), np.uint8)
    try:
        probabilities, *scores = session.run(list(outputs), {"cells": blank})
    except Exception as error:  # onnxruntime's own kinds have no common base but this
        raise BundleError(
            f"{folder}: the graph takes no cells of {manifest.height}×{manifest.width} ({error}): "
            "export the bundle again"
        ) from error
    sizes = [int(np.size(score)) for score in scores]
    if probabilities.shape != (2, len(manifest.labels)) or set(sizes) != {2}:
        raise BundleError(
            f"{folder}: for 2 cells the graph gives probabilities of shape {probabilities.shape} "
            f"and {', '.join(map(str, sizes))} scores; the manifest names "
            f"{len(manifest.labels)} labels: export the bundle again"
        )
