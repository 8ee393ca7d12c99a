"""The figures of a run: each with its interval, its split and its control."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from model import labels
from model.data.cells import CellSet
from model.evaluation.measures import (
    Classes,
    Interval,
    Numbers,
    auroc,
    balanced_accuracy,
    by_groups,
    calibration_error,
    wilson,
)
from wire.manifest import Metric

ALL: Final = labels.number("ALL")
AML: Final = labels.number("AML")
NORMAL: Final = labels.number("Normal")

SPLITS: Final = {
    "deepapl": "by patient, held out",
    "pbc": "by image (no patient ids), held out",
    "simulator": "by slide seed, held out",
    "lmu": "another laboratory, never trained on",
    "cnmc": "cut-out cells of another set, never trained on: a look, not a test",
}


@dataclass(frozen=True)
class Judged:
    """Cells of a part with what the model, and the border control, say of them."""

    cells: CellSet
    parts: npt.NDArray[np.str_]
    probabilities: Numbers
    """N×labels, temperature applied."""
    border: Classes
    """N guesses of the border control."""

    def only(self, chosen: npt.NDArray[np.bool_]) -> "Judged":
        """The cells where `chosen` is true."""
        return Judged(
            self.cells.take(chosen),
            self.parts[chosen],
            self.probabilities[chosen],
            self.border[chosen],
        )

    @property
    def given(self) -> Classes:
        """The likeliest class of each cell."""
        best: Classes = self.probabilities.argmax(axis=1)
        return best


def metrics(judged: Judged, abstain_below: float) -> list[Metric]:
    """Every figure of the test part and of the sources outside.

    Args:
        judged: cells of the parts `test` and `outside`, all with labels.
        abstain_below: threshold on the largest probability.
    """
    found: list[Metric] = []
    for source in sorted(set(judged.cells.sources.tolist())):
        mine = judged.only(judged.cells.sources == source)
        left_out = source not in ("lmu", "cnmc") and bool((mine.parts == "outside").any())
        split = "left out of training" if left_out else SPLITS.get(source, "held out by group")
        found += _of_source(source, mine, split)
    test = judged.only(judged.parts == "test")
    real = test.only(test.cells.sources != "simulator")
    for name, part in (("real", real), ("simulator", test.only(test.cells.sources == "simulator"))):
        if len(part.cells):
            found += _of_confidence(name, part, abstain_below)
    return found


def _of_source(source: str, judged: Judged, split: str) -> Iterator[Metric]:
    classes = np.unique(judged.cells.labels)
    if len(classes) > 1:
        yield _grouped(f"balanced accuracy, {source}", judged, split, _balanced, _balanced_border)
    if ALL not in classes and {AML, NORMAL} <= set(classes.tolist()):
        yield _grouped(f"AUROC of AML against Normal, {source}", judged, split, _auroc_aml, None)
    for label in classes:
        of_class = judged.only(judged.cells.labels == label)
        yield _share(
            f"recall of {labels.LABELS[label]}, {source}",
            of_class.given == label,
            split,
            f"border-only probe {np.mean(of_class.border == label):.3f}",
        )


def _of_confidence(name: str, judged: Judged, abstain_below: float) -> Iterator[Metric]:
    right = judged.given == judged.cells.labels
    confidence = judged.probabilities.max(axis=1)
    split = "held out, all cells of the test part"
    answered = confidence >= abstain_below
    yield _share(f"coverage, {name}", answered, split, f"abstains below {abstain_below:.3f}")
    if answered.any():
        yield _share(
            f"accuracy on answered, {name}",
            right[answered],
            split,
            f"on all cells {right.mean():.3f}",
        )
    error = by_groups(lambda i: calibration_error(right[i], confidence[i]), judged.cells.groups)
    yield _metric(f"expected calibration error, {name}", error, len(right), split, "")


def _grouped(
    name: str,
    judged: Judged,
    split: str,
    figure: Callable[[Judged, npt.NDArray[np.intp]], float],
    control: Callable[[Judged], float] | None,
) -> Metric:
    interval = by_groups(lambda chosen: figure(judged, chosen), judged.cells.groups)
    said = f"border-only probe {control(judged):.3f}" if control else ""
    return _metric(name, interval, len(judged.cells), split, said)


def _balanced(judged: Judged, chosen: npt.NDArray[np.intp]) -> float:
    return balanced_accuracy(judged.cells.labels[chosen], judged.given[chosen])


def _balanced_border(judged: Judged) -> float:
    return balanced_accuracy(judged.cells.labels, judged.border)


def _auroc_aml(judged: Judged, chosen: npt.NDArray[np.intp]) -> float:
    return auroc(judged.cells.labels[chosen] == AML, judged.probabilities[chosen, AML])


def _share(name: str, hits: npt.NDArray[np.bool_], split: str, control: str) -> Metric:
    return _metric(name, wilson(int(hits.sum()), len(hits)), len(hits), split, control)


def _metric(name: str, interval: Interval, n: int, split: str, control: str) -> Metric:
    value, low, high = (round(float(number), 4) for number in interval)
    return Metric(name=name, value=value, low=low, high=high, n=n, split=split, control=control)
