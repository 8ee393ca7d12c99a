"""The worst errors as a picture, for the eye of a hematologist."""

from typing import Final

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from model.evaluation.plots.style import CLASS_COLOURS, WIDTH
from model.evaluation.predictions import Predictions
from model.labels import LABELS

COLUMNS: Final = 4
MOST: Final = 24

LINE: Final = 1.45
TITLE: Final = 0.38
"""Inches: a line of cells, and of it the words above."""


def worst(said: Predictions) -> npt.NDArray[np.intp]:
    """Rows of the wrong suggestions, the surest first, MOST of them at most."""
    wrong = np.flatnonzero(~said.right)
    return wrong[np.argsort(-said.confidence[wrong], kind="stable")][:MOST]


def errors(said: Predictions, pictures: npt.NDArray[np.uint8]) -> Figure:
    """A grid of cells with the right class, the suggested one and its probability.

    Args:
        said: of the cells shown.
        pictures: theirs, uint8 N×h×w×3.
    """
    lines = -(-len(said) // COLUMNS)
    height = LINE * lines
    figure = Figure(figsize=(WIDTH, height))
    top = 1 - TITLE / height
    figure.subplots_adjust(0.01, 0.01, 0.99, top, wspace=0.08, hspace=TITLE / (LINE - TITLE))
    for number in range(len(said)):
        axes = figure.add_subplot(lines, COLUMNS, number + 1)
        axes.imshow(pictures[number], interpolation="nearest")
        axes.set_axis_off()
        suggested = LABELS[said.given[number]]
        axes.set_title(
            f"{LABELS[said.labels[number]]} → {suggested}\n{said.confidence[number]:.2f}",
            fontsize=8,
            color=CLASS_COLOURS[suggested],
            loc="center",
        )
    return figure
