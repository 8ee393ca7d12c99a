"""What a network costs the worker. Import only after `start_tensorflow`."""

import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from model.bundle.graph import Graph, Head, write_graph
from model.training.acgan import ACGAN

CELLS: Final = 16
"""In one call, as of a field."""

CALLS: Final = 15


def cpu_ms_a_cell(model: ACGAN) -> float:
    """Milliseconds of CPU that a cell takes as the worker runs it: onnxruntime, one thread.

    The median of CALLS calls, by the thread's own clock: what else the machine does counts little.
    """
    size = model.config.size
    cells = np.random.default_rng(0).integers(0, 256, (CELLS, size, size, 3), np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "classifier.onnx"
        write_graph(model, Head(temperature=1.0), path)
        graph = Graph(path)
        graph.run(cells)
        taken = []
        for _ in range(CALLS):
            began = time.thread_time()
            graph.run(cells)
            taken.append(time.thread_time() - began)
    return float(np.median(taken)) * 1000 / CELLS
