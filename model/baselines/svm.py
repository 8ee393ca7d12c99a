"""A support vector machine on features of cells, its probabilities calibrated."""

from typing import Any, Final

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from model.baselines.baseline import ABSENT
from model.data.cells import CellSet
from model.evaluation.measures import Classes, Numbers, balanced_accuracy
from model.labels import LABELS
from model.training.batches import chances

PENALTIES: Final = (1.0, 10.0)
"""Values of C that are tried; the validation part chooses."""

AT_MOST: Final = 20_000
"""Training cells, drawn by their chances where there are more: the time grows by the square."""

LEAST: Final = 1e-6
"""Probability below which no logarithm is taken."""


class CalibratedSVM:
    """StandardScaler, SVC with a radial kernel, and Platt's sigmoid (Platt 1999).

    Features are standardised on the training part; C and the sigmoid are of the validation part.
    """

    def fit(self, features: Numbers, labels: Classes, seen: Numbers, wanted: Classes) -> None:
        """Fit.

        Args:
            features: N×values, of the training part.
            labels: its N classes.
            seen: M×values, of the validation part.
            wanted: its M classes.
        """
        known = np.isin(wanted, labels)  # a class that only validation shows cannot be learned
        fitted = [_machine(penalty).fit(features, labels) for penalty in PENALTIES]
        scores = [balanced_accuracy(wanted[known], one.predict(seen[known])) for one in fitted]
        everything = np.arange(int(known.sum()))
        self._machine = CalibratedClassifierCV(
            FrozenEstimator(fitted[int(np.argmax(scores))]),
            method="sigmoid",
            cv=[(everything, everything)],  # the machine is frozen: there is nothing to hold out
            ensemble=False,
        ).fit(seen[known], wanted[known])

    def logits(self, features: Numbers) -> Numbers:
        """Log-probabilities, N×labels; ABSENT for a class that it does not know."""
        logits = np.full((len(features), len(LABELS)), ABSENT)
        said = self._machine.predict_proba(features)
        logits[:, self._machine.classes_] = np.log(np.maximum(said, LEAST))
        return logits


def chosen(train: CellSet, seed: int) -> CellSet:
    """The training part, or AT_MOST cells of it."""
    if len(train) <= AT_MOST:
        return train
    draw = np.random.default_rng(seed)
    mask = np.zeros(len(train), bool)
    mask[draw.choice(len(train), AT_MOST, replace=False, p=chances(train))] = True
    return train.take(mask)


def _machine(penalty: float) -> Any:  # noqa: ANN401  # sklearn ships no types
    return make_pipeline(StandardScaler(), SVC(C=penalty, class_weight="balanced"))
