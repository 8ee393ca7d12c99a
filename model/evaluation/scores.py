"""Every figure of a set of predictions, each with its interval and its control."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from model.evaluation.bootstrap import Draws, ratio
from model.evaluation.calibration import log_loss
from model.evaluation.curves import Bin, Point, abstention, reliability, thinned
from model.evaluation.measures import Classes, Interval, Numbers
from model.evaluation.predictions import NO_GUESS, Predictions, join
from model.labels import LABELS, number

AML, NORMAL = number("AML"), number("Normal")

WRITTEN: Final = 1e-6
"""The least probability that predictions.csv can tell from 0."""


@dataclass(frozen=True)
class Sample:
    """Predictions of one run, or of several runs of one model (seeds, folds)."""

    predictions: Predictions
    runs: Classes
    """Which run judged the cell, N."""
    below: Numbers
    """Threshold on the largest probability that this run chose, N; NaN where it chose none."""

    @classmethod
    def of(
        cls, several: Sequence[Predictions], below: Sequence[float | None] | None = None
    ) -> "Sample":
        """From the predictions and the threshold of each run."""
        lengths = [len(one) for one in several]
        chosen = [np.nan if one is None else one for one in below or [None] * len(several)]
        runs = np.repeat(np.arange(len(several)), lengths)
        return cls(join(several), runs, np.repeat(chosen, lengths))

    def take(self, chosen: npt.NDArray[np.bool_]) -> "Sample":
        """The cells where `chosen` is true."""
        return Sample(self.predictions.take(chosen), self.runs[chosen], self.below[chosen])

    @cached_property
    def draws(self) -> Draws:
        """The bootstrap over its groups."""
        return Draws(self.predictions.groups, self.runs)


class ClassScores(msgspec.Struct, frozen=True):
    """Figures of one class against all others."""

    label: str
    cells: int
    sources: dict[str, int]
    """Where its cells come from."""
    precision: Interval
    recall: Interval
    f1: Interval
    auroc: Interval


class Answered(msgspec.Struct, frozen=True):
    """What abstaining below each run's threshold leaves."""

    threshold: float
    """Mean over runs."""
    coverage: Interval
    accuracy: Interval


class Scores(msgspec.Struct, frozen=True):
    """Figures of one scope, such as the held-out real cells. Intervals: value, low, high."""

    scope: str
    cells: int
    """Of all runs together."""
    runs: int
    groups: int
    interval: str
    """How shares of cells have their interval."""
    labels: list[str]
    """Rows and columns of the confusion matrix."""
    confusion: list[list[int]]
    """Right class by row, suggested class by column."""
    accuracy: Interval
    balanced_accuracy: Interval
    auroc_aml_normal: Interval
    calibration_error: Interval
    brier: float
    """Mean squared distance from certainty in the right class, summed over classes, 0 to 2."""
    log_loss: float
    border_accuracy: float
    border_balanced_accuracy: float
    classes: list[ClassScores]
    answered: Answered | None
    reliability: list[Bin]
    abstention: list[Point]


def score(scope: str, sample: Sample, known: Sequence[int]) -> Scores:
    """All figures of a sample.

    Args:
        scope: its name.
        sample: of at least one cell.
        known: indices into LABELS that the model knows or that occur.
    """
    from sklearn.metrics import confusion_matrix

    said = sample.predictions
    truth = np.eye(len(LABELS))[said.labels]
    apart = np.square(said.probabilities - truth).sum(axis=1)
    return Scores(
        scope=scope,
        cells=len(said),
        runs=len(np.unique(sample.runs)),
        groups=sample.draws.count,
        interval=_method(sample),
        labels=[LABELS[label] for label in known],
        confusion=confusion_matrix(said.labels, said.given, labels=list(known)).tolist(),
        accuracy=sample.draws.share(said.right, np.ones(len(said), bool)),
        balanced_accuracy=_balanced(sample, said.given),
        auroc_aml_normal=_auroc_aml_normal(sample),
        calibration_error=_calibration_error(sample),
        brier=float(apart.mean()),
        log_loss=log_loss(np.maximum(said.probabilities, WRITTEN), said.labels, np.ones(len(said))),
        border_accuracy=_border(sample),
        border_balanced_accuracy=_border_balanced(sample),
        classes=[_class(sample, label) for label in known if (said.labels == label).any()],
        answered=None if np.isnan(sample.below).any() else _answered(sample),
        reliability=reliability(said.right, said.confidence),
        abstention=thinned(abstention(said.right, said.confidence)),
    )


def _method(sample: Sample) -> str:
    if sample.draws.independent:
        return "Wilson (each cell is a group of its own)"
    return f"bootstrap by group ({sample.draws.count} patients, slides or images)"


def _class(sample: Sample, label: int) -> ClassScores:
    said, draws = sample.predictions, sample.draws
    of_class, suggested = said.labels == label, said.given == label
    names, counts = np.unique(said.sources[of_class], return_counts=True)
    sums = np.stack([of_class & suggested, of_class, suggested], axis=1).astype(float)
    return ClassScores(
        label=LABELS[label],
        cells=int(of_class.sum()),
        sources=dict(zip(names.tolist(), counts.tolist(), strict=True)),
        precision=draws.share(of_class, suggested),
        recall=draws.share(suggested, of_class),
        f1=draws.figure(sums, lambda t: ratio(2 * t[:, 0], t[:, 1] + t[:, 2]), of_class),
        auroc=draws.auroc(of_class, said.probabilities[:, label]),
    )


def _balanced(sample: Sample, given: Classes) -> Interval:
    """Mean recall over the classes of a draw; NaN where there is but one class."""
    wanted = sample.predictions.labels
    if len(np.unique(wanted)) < 2:
        return Interval(*[float("nan")] * 3)
    of_class = np.eye(len(LABELS))[wanted]
    sums = np.stack([of_class * (given == wanted)[:, None], of_class], axis=1)
    return sample.draws.figure(sums, _mean_recall)


def _mean_recall(totals: Numbers) -> Numbers:
    recalls = ratio(totals[:, 0], totals[:, 1])
    there = ~np.isnan(recalls)
    return ratio(np.where(there, recalls, 0).sum(axis=1), there.sum(axis=1).astype(float))


def _auroc_aml_normal(sample: Sample) -> Interval:
    """By the probability of AML, on the cells of these two classes."""
    pair = sample.take(np.isin(sample.predictions.labels, [AML, NORMAL]))
    said = pair.predictions
    if len(np.unique(said.labels)) < 2:
        return Interval(*[float("nan")] * 3)
    return pair.draws.auroc(said.labels == AML, said.probabilities[:, AML])


def _calibration_error(sample: Sample, bins: int = 15) -> Interval:
    """As `measures.calibration_error`, by sums over each bin."""
    said = sample.predictions
    place = np.minimum((said.confidence * bins).astype(int), bins - 1)
    inside = np.eye(bins)[place]
    sums = np.stack([inside * (said.right - said.confidence)[:, None], inside], axis=1)
    return sample.draws.figure(
        sums,
        lambda t: ratio(np.abs(t[:, 0]).sum(axis=1), t[:, 1].sum(axis=1)),
    )


def _answered(sample: Sample) -> Answered:
    answered = sample.predictions.confidence >= sample.below
    everything = np.ones(len(answered), bool)
    return Answered(
        threshold=float(
            np.mean([sample.below[sample.runs == r][0] for r in np.unique(sample.runs)])
        ),
        coverage=sample.draws.share(answered, everything),
        accuracy=sample.draws.share(sample.predictions.right, answered),
    )


def _border(sample: Sample) -> float:
    said = sample.predictions
    if (said.border == NO_GUESS).any():
        return float("nan")
    return float((said.border == said.labels).mean())


def _border_balanced(sample: Sample) -> float:
    said = sample.predictions
    if (said.border == NO_GUESS).any():
        return float("nan")
    return _balanced(sample, said.border).value
