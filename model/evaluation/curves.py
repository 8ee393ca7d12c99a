"""How far a model may be believed: reliability by bins, and what abstaining buys."""

from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from model.evaluation.measures import Interval, Numbers, wilson

BINS: Final = 15

MOST_POINTS: Final = 201
"""Of a curve in a report: half a percent of the cells apart."""

COVERAGES: Final = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.5)
"""At which the table of abstention shows the accuracy."""


class Bin(msgspec.Struct, frozen=True):
    """Cells whose largest probability lies between low (with it) and high (without)."""

    low: float
    high: float
    cells: int
    confidence: float
    """Mean of the largest probability."""
    accuracy: Interval
    """Wilson's: of the cells, as if they were independent."""


class Point(msgspec.Struct, frozen=True, array_like=True):
    """What is answered from a threshold up. In JSON: threshold, coverage, accuracy."""

    threshold: float
    coverage: float
    accuracy: float


def reliability(right: npt.NDArray[np.bool_], confidence: Numbers, bins: int = BINS) -> list[Bin]:
    """Belief against truth in equally wide bins, empty ones left out.

    scikit-learn's `calibration_curve` gives the same points without their counts.

    Args:
        right: N, whether the likeliest class is the right one.
        confidence: N, its probability, 0 to 1.
        bins: how many.
    """
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(
            low=number / bins,
            high=(number + 1) / bins,
            cells=int((place == number).sum()),
            confidence=float(confidence[place == number].mean()),
            accuracy=wilson(int(right[place == number].sum()), int((place == number).sum())),
        )
        for number in np.unique(place).tolist()
    ]


def abstention(right: npt.NDArray[np.bool_], confidence: Numbers) -> list[Point]:
    """The whole curve: a point for each distinct confidence, the surest first."""
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    last = np.flatnonzero(np.diff(sorted_confidence, append=-1.0))
    hits = np.cumsum(right[order])[last]
    return [
        Point(float(sorted_confidence[i]), float((i + 1) / len(right)), float(hit / (i + 1)))
        for i, hit in zip(last, hits, strict=True)
    ]


def thinned(curve: list[Point], most: int = MOST_POINTS) -> list[Point]:
    """About evenly chosen points of a curve, the first and the last among them."""
    chosen = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), most)).astype(int))
    return [curve[i] for i in chosen]


def at_coverage(curve: list[Point], coverage: float) -> Point:
    """The first point that answers at least this share of the cells."""
    return next(point for point in curve if point.coverage >= coverage - 1e-9)
