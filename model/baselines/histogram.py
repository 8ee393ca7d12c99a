"""An SVM on colour histograms and oriented gradients: what was done before networks."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Cells, Image
from model.baselines.baseline import BaselineConfig, Told
from model.baselines.svm import CalibratedSVM, chosen
from model.data.cells import CellSet
from model.evaluation.measures import Numbers

SIDE: Final = 64
"""Side to which cells are resized for the gradients, in pixels."""

BINS: Final = 16
"""Of the histogram of a channel."""

JOINT: Final = 4
"""Bins a channel of the histogram of all three together."""

SQUARE: Final = 8
"""Side of a square whose gradients are counted together, in pixels."""

ORIENTATIONS: Final = 9
"""Bins of half a turn."""


class HistogramSVM:
    """Colours and gradients of a cell into an SVM."""

    def __init__(self, config: BaselineConfig) -> None:
        """Take the seed of the draw."""
        self.origin = "no network"
        self._seed = config.cells.seed
        self._svm = CalibratedSVM()

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """See `Baseline`."""
        used = chosen(train, self._seed)
        self._svm.fit(_of_set(used), used.labels, _of_set(validation), validation.labels)
        told(1, 1, "")

    def logits(self, cells: CellSet) -> Numbers:
        """See `Baseline`."""
        return self._svm.logits(_of_set(cells))


def features(cell: Image) -> npt.NDArray[np.float64]:
    """Colour histograms (each channel of L*a*b*, and RGB together; shares) and gradients.

    Args:
        cell: uint8, h×w×3, RGB.

    Returns:
        3·16 + 4³ + 1764 values, 0 to 1.
    """
    lab = cv2.cvtColor(cell, cv2.COLOR_RGB2LAB)
    each = [np.histogram(lab[..., channel], BINS, (0, 256))[0] for channel in range(3)]
    bins = [JOINT] * 3
    joint, _ = np.histogramdd(cell.reshape(-1, 3), bins, [(0, 256)] * 3)
    colours = np.concatenate([*each, joint.ravel()]) / (cell.shape[0] * cell.shape[1])
    grey = cv2.resize(cv2.cvtColor(cell, cv2.COLOR_RGB2GRAY), (SIDE, SIDE))
    return np.concatenate([colours, gradients(grey.astype(np.float32))])


def gradients(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Histograms of oriented gradients (Dalal and Triggs 2005): unsigned, blocks of 2×2 squares.

    OpenCV's own went with its version 5. A pixel counts for one orientation, not in shares for two.

    Args:
        grey: float32, SIDE×SIDE, any scale.

    Returns:
        7·7·36 values, each block of 36 of length 1 at most.
    """
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    angle = np.arctan2(down, across) % np.pi
    turn = np.minimum((angle / np.pi * ORIENTATIONS).astype(int), ORIENTATIONS - 1)
    squares = SIDE // SQUARE
    place = np.arange(SIDE) // SQUARE
    where = (place[:, None] * squares + place) * ORIENTATIONS + turn
    weights = np.hypot(across, down).ravel()
    counted = np.bincount(where.ravel(), weights, squares * squares * ORIENTATIONS)
    each = counted.reshape(squares, squares, ORIENTATIONS)
    corners = (each[:-1, :-1], each[1:, :-1], each[:-1, 1:], each[1:, 1:])
    blocks = np.concatenate(corners, axis=-1)
    lengths = np.linalg.norm(blocks, axis=-1, keepdims=True)
    scaled: npt.NDArray[np.float64] = (blocks / (lengths + 1e-3)).ravel()
    return scaled


def _of_set(cells: CellSet) -> Numbers:
    return np.concatenate([_of_batch(batch) for _, batch in cells.batches()])


def _of_batch(cells: Cells) -> Numbers:
    return np.stack([features(cell) for cell in cells])
