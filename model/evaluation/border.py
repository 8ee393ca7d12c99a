"""The border-only control: how much a linear model knows without seeing the cell."""

from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from imaging.types import Cells
from model.data.cells import CellSet
from model.evaluation.measures import Classes
from model.training.batches import chances

WIDTH: Final = 3
"""Of the border, in pixels of the model's input."""

AT_MOST: Final = 4000
"""Training cells used, drawn by their chances: more change nothing but the time."""


def border_guesses(train: CellSet, test: CellSet, seed: int) -> Classes:
    """What a logistic regression on the border of `train` guesses for `test`.

    Where class follows source or slide, it guesses well, and every figure beside it is suspect.

    Args:
        train: labelled, two classes or more.
        test: any number.
        seed: of the draw.

    Returns:
        int64, one class for each cell of `test`.
    """
    model = fitted(train, seed)
    seen = [model.predict(border(cells)) for _, cells in test.batches()]
    guesses: Classes = np.concatenate(seen).astype(np.int64) if seen else np.zeros(0, np.int64)
    return guesses


def fitted(train: CellSet, seed: int) -> Pipeline:
    """The regression on what `border` gives; see `border_guesses`."""
    draw = np.random.default_rng(seed)
    count = min(AT_MOST, len(train))
    chosen = draw.choice(len(train), count, p=chances(train))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))
    return model.fit(border(train.cells[chosen, 0]), train.labels[chosen])


def border(cells: Cells) -> npt.NDArray[np.float64]:
    """N×h×w×3 to N×values of the outermost pixels, 0 to 1."""
    inside = np.zeros(cells.shape[1:3], bool)
    inside[WIDTH:-WIDTH, WIDTH:-WIDTH] = True
    return cells[:, ~inside].reshape(len(cells), -1) / 255
