"""Honest probabilities, and when not to answer. Chosen on the validation part only."""

from typing import Final

import numpy as np
import numpy.typing as npt

from model.evaluation.measures import Classes, Numbers

LEAST_COVERAGE: Final = 0.8
"""The threshold never leaves more than a fifth of the validation cells unanswered."""

BIAS_PENALTY: Final = 1e-3
"""On the squared biases of vector scaling: one of a class that is absent stays finite."""


def softmax(logits: Numbers, temperature: float) -> Numbers:
    """Probabilities of N×labels logits."""
    shifted = logits / temperature
    powers = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    probabilities: Numbers = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def log_loss(probabilities: Numbers, labels: Classes, weights: Numbers) -> float:
    """Weighted mean of −log of the right class's probability, in nats."""
    right = probabilities[np.arange(len(labels)), labels]
    return float(np.average(-np.log(np.maximum(right, 1e-12)), weights=weights))


def temperature(logits: Numbers, labels: Classes, weights: Numbers) -> float:
    """The temperature of least log loss (Guo et al. 2017), between 0.1 and 10, to 1 %."""
    tried = np.geomspace(0.1, 10, 463)
    losses = [log_loss(softmax(logits, float(t)), labels, weights) for t in tried]
    return float(tried[int(np.argmin(losses))])


def vector_scaling(logits: Numbers, labels: Classes, weights: Numbers) -> tuple[float, Numbers]:
    """One factor for all logits and a bias for each class, of least log loss.

    After Guo et al. 2017, with one factor in place of one for each class: on a small validation
    part the factors of rare classes would be noise. A bias mends what no temperature can, a class
    that is believed too often.

    Args:
        logits: N×labels; logarithms of probabilities serve as well.
        labels: the N right ones.
        weights: of the N cells, any scale.

    Returns:
        Factor (more than 0) and biases (labels values, sum 0): `softmax(logits * factor + biases)`.
    """
    from scipy.optimize import minimize

    shares = weights / weights.sum()
    wanted = np.eye(logits.shape[1])[labels]

    def loss(values: Numbers) -> tuple[float, Numbers]:
        factor, biases = np.exp(values[0]), values[1:]
        given = softmax(logits * factor + biases, 1.0)
        slope = (given - wanted) * shares[:, None]
        total = log_loss(given, labels, weights) + BIAS_PENALTY * float(biases @ biases)
        by_factor = factor * float((slope * logits).sum())
        return total, np.concatenate([[by_factor], slope.sum(axis=0) + 2 * BIAS_PENALTY * biases])

    found = minimize(loss, np.zeros(1 + logits.shape[1]), jac=True, method="L-BFGS-B")
    return float(np.exp(found.x[0])), found.x[1:] - found.x[1:].mean()


def conformal_threshold(probabilities: Numbers, labels: Classes, level: float) -> float:
    """The least probability at which a class belongs to a cell's set.

    Split-conformal with the score 1 − probability of the right class (LAC: Sadinle, Lei and
    Wasserman 2019, "Least ambiguous set-valued classifiers with bounded error levels", JASA 114):
    of all sets with this coverage its are the smallest. Adaptive sets (APS, Romano et al. 2020)
    were not taken: they need a random draw for exact coverage, and a cell has to get one answer.

    The promise holds for cells drawn like those given here. Cells of a new patient are not quite.

    Args:
        probabilities: N×labels, of cells that no training saw.
        labels: the N right ones.
        level: wanted chance that the right class is in the set, above 0 and below 1.

    Returns:
        0 to 1. 0, every class in every set, where N is too small for the level.

    Raises:
        ValueError: there are no cells, or the level is not between 0 and 1.
    """
    if not len(labels) or not 0 < level < 1:
        raise ValueError(f"no threshold for level {level} of {len(labels)} cells")
    right = np.sort(probabilities[np.arange(len(labels)), labels])
    missed = int(np.floor((1 - level) * (len(labels) + 1) + 1e-9))  # 0.1 × 10 is 0.9999…
    return float(right[missed - 1]) if missed else 0.0


def conformal_sets(probabilities: Numbers, threshold: float) -> npt.NDArray[np.bool_]:
    """Which classes belong to each cell's set: N×labels.

    The likeliest class always does, so that no set is empty; that can only add coverage.
    """
    sets: npt.NDArray[np.bool_] = probabilities >= threshold
    sets[np.arange(len(sets)), probabilities.argmax(axis=1)] = True
    return sets


def abstain_below(probabilities: Numbers, labels: Classes, aim: float) -> float:
    """The least threshold on the largest probability at which the answered cells reach `aim`.

    Where none does at a coverage of LEAST_COVERAGE, the threshold of that coverage. 0 to 1.
    """
    confidence = probabilities.max(axis=1)
    order = np.argsort(-confidence, kind="stable")
    right = (probabilities.argmax(axis=1) == labels)[order]
    accuracy = np.cumsum(right) / np.arange(1, len(right) + 1)
    least = max(1, int(np.ceil(LEAST_COVERAGE * len(right))))
    good = np.flatnonzero(accuracy[least - 1 :] >= aim)
    answered = least + int(good[-1]) if len(good) else least
    if answered == len(right):
        return float(np.floor(confidence.min() * 1000) / 1000)
    return float(confidence[order][answered - 1])
