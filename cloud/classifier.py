"""The model bundle at work: one onnxruntime session, shared by all threads."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime

from imaging.crop import PREPROCESSING_ID
from imaging.types import Cells
from wire.manifest import GRAPH_NAME, BundleError, Manifest, read_manifest
from wire.messages import ModelRef
from wire.words import Label

SHIPPED_BUNDLE: Final = Path(__file__).parent / "bundle"
"""The reference bundle that comes with leukoscope."""


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

    Raises:
        BundleError: the bundle is damaged, of an unknown schema or preprocessing, or its graph
            does not have the promised input and outputs.
    """

    def __init__(self, folder: Path = SHIPPED_BUNDLE) -> None:
        manifest, digest = read_manifest(folder)
        _check_preprocessing(folder, manifest)
        self._session = _open_session(folder)
        _check_graph(folder, self._session)
        _try_out(folder, self._session, manifest)
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
        probabilities, real = self._session.run(["probabilities", "real"], {"cells": cells})
        return [
            self._suggestion(row.tolist(), float(score))
            for row, score in zip(probabilities, np.ravel(real), strict=True)
        ]

    def _suggestion(self, row: Sequence[float], real: float) -> Suggestion:
        best = max(range(len(row)), key=row.__getitem__)
        sure = row[best] >= self.manifest.abstain_below and real >= self.manifest.real_below
        return Suggestion(
            label=self.manifest.labels[best] if sure else "unidentified",
            probability=_rounded(row[best]),
            probabilities={
                label: _rounded(p) for label, p in zip(self.manifest.labels, row, strict=True)
            },
            real=_rounded(real),
        )


def _rounded(probability: float) -> float:
    """Four places say more than the model knows, and stay readable."""
    return min(1.0, max(0.0, round(probability, 4)))


def _open_session(folder: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # Spinning threads burn 40 ms of CPU a frame waiting for work (DESIGN.md, measured).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            (folder / GRAPH_NAME).read_bytes(), options, providers=["CPUExecutionProvider"]
        )
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


def _check_graph(folder: Path, session: onnxruntime.InferenceSession) -> None:
    inputs = [(i.name, i.type) for i in session.get_inputs()]
    if inputs != [("cells", "tensor(uint8)")]:
        raise BundleError(f"{folder}: the graph's input is {inputs}, not uint8 'cells'")
    outputs = {output.name for output in session.get_outputs()}
    if missing := {"probabilities", "real"} - outputs:
        raise BundleError(f"{folder}: the graph has no output {', '.join(sorted(missing))}")


def _try_out(folder: Path, session: onnxruntime.InferenceSession, manifest: Manifest) -> None:
    """Classify two blank cells: a graph of another size or other labels shows here, not at work."""
    blank = np.zeros((2, manifest.height, manifest.width, 3), np.uint8)
    try:
        probabilities, real = session.run(["probabilities", "real"], {"cells": blank})
    except Exception as error:  # onnxruntime's own kinds have no common base but this
        raise BundleError(
            f"{folder}: the graph takes no cells of {manifest.height}×{manifest.width} ({error}): "
            "export the bundle again"
        ) from error
    if probabilities.shape != (2, len(manifest.labels)) or np.size(real) != 2:
        raise BundleError(
            f"{folder}: for 2 cells the graph gives probabilities of shape {probabilities.shape} "
            f"and {np.size(real)} real scores; the manifest names {len(manifest.labels)} labels: "
            "export the bundle again"
        )
