"""Honest probabilities, and when not to answer. Chosen on the validation part only."""

from typing import Final

import numpy as np

from model.evaluation.measures import Classes, Numbers

LEAST_COVERAGE: Final = 0.8
"""The threshold never leaves more than a fifth of the validation cells unanswered."""


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
