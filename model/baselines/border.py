"""The border-only control as a model of its own: what can be had without seeing the cell."""

import numpy as np
from sklearn.pipeline import Pipeline

from model.baselines.baseline import ABSENT, BaselineConfig, Told
from model.baselines.svm import LEAST
from model.data.cells import CellSet
from model.evaluation.border import border, fitted
from model.evaluation.measures import Numbers
from model.labels import LABELS


class BorderControl:
    """Logistic regression on the outermost three pixels; see `model.evaluation.border`."""

    _model: Pipeline

    def __init__(self, config: BaselineConfig) -> None:
        """Take the seed of the draw."""
        self.origin = "no network"
        self._seed = config.cells.seed

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """See `Baseline`."""
        del validation  # there is nothing to choose
        self._model = fitted(train, self._seed)
        told(1, 1, "")

    def logits(self, cells: CellSet) -> Numbers:
        """See `Baseline`."""
        logits = np.full((len(cells), len(LABELS)), ABSENT)
        for rows, batch in cells.batches():
            said = np.log(np.maximum(self._model.predict_proba(border(batch)), LEAST))
            logits[np.ix_(rows, self._model.classes_)] = said
        return logits
