"""What the validation part chooses, tried on held-out cells: rescaling and conformal sets."""

from typing import Final

import msgspec
import numpy as np

from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation.calibration import (
    conformal_sets,
    conformal_threshold,
    softmax,
    temperature,
    vector_scaling,
)
from model.evaluation.measures import Interval, Numbers
from model.evaluation.predictions import Predictions
from model.evaluation.scores import WRITTEN, Sample, Scores, score
from model.labels import LABELS

LEVEL: Final = 0.95
"""Of the conformal sets."""


class Rescaling(msgspec.Struct, frozen=True):
    """Probabilities after one way of rescaling."""

    how: str
    calibration_error: Interval
    log_loss: float
    brier: float
    accuracy: Interval


class Sets(msgspec.Struct, frozen=True):
    """Conformal sets on held-out cells."""

    level: float
    threshold: float
    coverage: Interval
    """Share of cells whose set holds the right class."""
    sizes: dict[int, int]
    """Cells by how many classes their set has."""


def rescalings(validation: Predictions, held_out: Predictions) -> list[Rescaling]:
    """The probabilities as the run has them, and rescaled in two ways fitted on validation.

    Logarithms of the written probabilities stand for logits: they differ by a constant a cell.
    Fitted on all cells of validation, each pair of source and class weighing the same: on real
    cells alone a class that is only simulated would be scaled away.
    """
    logits = np.log(np.maximum(validation.probabilities, WRITTEN))
    weights = _evenly(validation)
    found = temperature(logits, validation.labels, weights)
    factor, biases = vector_scaling(logits, validation.labels, weights)
    seen = np.log(np.maximum(held_out.probabilities, WRITTEN))
    shown = ", ".join(f"{name} {b:+.2f}" for name, b in zip(LABELS, biases, strict=True))
    return [
        _rescaling("as the run has them", held_out, held_out.probabilities),
        _rescaling(f"a further temperature of {found:.2f}", held_out, softmax(seen, found)),
        _rescaling(
            f"vector scaling: factor {factor:.2f}, biases {shown}",
            held_out,
            softmax(seen * factor + biases, 1.0),
        ),
    ]


def conformal(validation: Predictions, held_out: Predictions, level: float = LEVEL) -> Sets:
    """Sets whose threshold is chosen on validation, measured on held-out cells."""
    chosen = _real(validation)
    threshold = conformal_threshold(chosen.probabilities, chosen.labels, level)
    sets = conformal_sets(held_out.probabilities, threshold)
    covered = sets[np.arange(len(held_out)), held_out.labels]
    sizes, counts = np.unique(sets.sum(axis=1), return_counts=True)
    everything = np.ones(len(held_out), bool)
    return Sets(
        level=level,
        threshold=threshold,
        coverage=Sample.of([held_out]).draws.share(covered, everything),
        sizes=dict(zip(sizes.tolist(), counts.tolist(), strict=True)),
    )


def _real(validation: Predictions) -> Predictions:
    """Its real cells where there are any: simulated ones are easier and would flatter."""
    real = validation.sources != SIMULATOR
    return validation.take(real) if real.any() else validation


def _evenly(validation: Predictions) -> Numbers:
    """Weights with which each pair of source and class has the same sum."""
    pairs = np.char.add(validation.sources, validation.labels.astype(str))
    _, place, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    weights: Numbers = 1 / counts[place]
    return weights


def _rescaling(how: str, held_out: Predictions, probabilities: Numbers) -> Rescaling:
    changed = Predictions(**{**vars(held_out), "probabilities": probabilities})
    scores: Scores = score("", Sample.of([changed]), changed.known)
    return Rescaling(how, scores.calibration_error, scores.log_loss, scores.brier, scores.accuracy)
