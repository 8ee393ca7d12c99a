"""The int8 graph: written only where it is faster and answers the same."""

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from imaging.types import Cells
from model.bundle.graph import INPUT, Graph
from wire.manifest import GRAPH_NAME, INT8_NAME, Manifest

CALIBRATION: Final = 200
"""Cells that the ranges are taken from; agreement is measured on others."""

AGREEMENT: Final = 0.999
"""Least share of cells that are answered alike, `unidentified` being an answer."""

FIELD: Final = 8
"""Cells classified at a time when the clock runs: about what a field shows."""

RUNS: Final = 31
"""Of each graph, in turns."""


class Quantised(msgspec.Struct, frozen=True):
    """What became of the int8 graph. The card shows it whether or not it was written."""

    written: bool
    float_ms: float
    """Median milliseconds a cell on one thread."""
    int8_ms: float
    agreement: float
    """Share of `cells` cells answered alike."""
    cells: int


def quantise(folder: Path, manifest: Manifest, probe: Cells) -> Quantised:
    """Try an int8 graph beside the float one, and keep it where it is better.

    Args:
        folder: of the bundle that is being written; `classifier.onnx` is there.
        manifest: of the bundle.
        probe: real cells, uint8 N×h×w×3; the first ones calibrate.
    """
    count = min(CALIBRATION, len(probe) // 2)
    path = folder / INT8_NAME
    _write(folder / GRAPH_NAME, path, probe[:count])
    found = _compared(Graph(folder / GRAPH_NAME), Graph(path), manifest, probe[count:])
    if not found.written:
        path.unlink()
    return found


def _compared(graph: Graph, small: Graph, manifest: Manifest, cells: Cells) -> Quantised:
    answers = [
        one.run(cells).suggestions(manifest.abstain_below, manifest.ood_above)
        for one in (graph, small)
    ]
    agreement = float((answers[0] == answers[1]).mean())
    float_ms, int8_ms = _milliseconds(graph, small, cells[:FIELD])
    return Quantised(
        written=agreement >= AGREEMENT and int8_ms < float_ms,
        float_ms=round(float_ms, 3),
        int8_ms=round(int8_ms, 3),
        agreement=round(agreement, 4),
        cells=len(cells),
    )


def _milliseconds(graph: Graph, small: Graph, cells: Cells) -> tuple[float, float]:
    """Median time a cell of each; in turns, so that a busy machine slows both."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(RUNS):
        for one, times in zip((graph, small), taken, strict=True):
            began = time.perf_counter()
            one.run(cells)
            times.append(1000 * (time.perf_counter() - began) / len(cells))
    return statistics.median(taken[0]), statistics.median(taken[1])


def _write(source: Path, path: Path, cells: Cells) -> None:
    """Static quantisation in QDQ form: weights per channel, activations by their range."""
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime ships no types
        def __init__(self) -> None:
            self._batches = iter(np.array_split(cells, max(1, len(cells) // 20)))

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    with tempfile.TemporaryDirectory() as scratch:
        prepared = os.path.join(scratch, "prepared.onnx")
        quant_pre_process(str(source), prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            str(path),
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
