"""The whole path on simulated fields: drawn, encoded, found, cut, classified, compared."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from imaging.crop import cut_cells
from imaging.simulator import Smear
from model.bundle.graph import Graph
from model.data.simulator import SLIDES, look
from model.evaluation.measures import by_groups
from model.labels import LABELS
from wire.manifest import Manifest, Metric

FIRST_SLIDE: Final = 1_900_000_000
"""Slides from here on are shown to no training: split seeds below 19,000 end before."""

VIEWS: Final = 5
"""Fields taken of each slide."""


@dataclass(frozen=True)
class FieldTest:
    """What became of the white cells of some fields."""

    figures: list[Metric]
    """Agreement with the truth of the cells found, for each kind of slide and answered or not."""
    missed: int
    """Drawn white cells that were not found."""
    invented: int
    """Boxes that meet no cell of the truth, which names those at least half inside the field."""


@dataclass(frozen=True)
class _Told:
    """One cell that was found: its slide, and what was right."""

    slide: str
    kind: str
    right: bool
    answered: bool


def field_test(
    graph: Graph, manifest: Manifest, count: int, advance: Callable[[int, int], None]
) -> FieldTest:
    """Look at `count` fields of slides of each kind.

    Args:
        graph: of a bundle.
        manifest: of the same.
        count: fields of each kind, 1 or more.
        advance: is told how many fields are done and how many there will be.
    """
    told: list[_Told] = []
    missed = invented = 0
    for number in range(count * len(SLIDES)):
        slide, view = divmod(number // len(SLIDES), VIEWS)
        kind = SLIDES[number % len(SLIDES)]
        smear = Smear(FIRST_SLIDE + slide * len(SLIDES) + number % len(SLIDES), kind)
        seen = look(smear, view)
        missed += seen.missed
        invented += seen.invented
        if seen.cells:
            boxes = [box for box, _ in seen.cells]
            said = graph.run(cut_cells(seen.image, boxes, manifest.height, manifest.width))
            answers = said.suggestions(manifest.abstain_below, manifest.ood_above)
            best = said.probabilities.argmax(axis=1)
            for (_, cell), label, answer in zip(seen.cells, best, answers, strict=True):
                right = LABELS[int(label)] == cell.label
                told.append(_Told(str(smear.seed), kind, right, bool(answer >= 0)))
        advance(number + 1, count * len(SLIDES))
    return FieldTest(_figures(told, f"{missed} drawn cells not found"), missed, invented)


def _figures(told: list[_Told], control: str) -> list[Metric]:
    groups = {f"{kind} slides": [one for one in told if one.kind == kind] for kind in SLIDES}
    groups |= {"all slides": told, "all slides, answered": [one for one in told if one.answered]}
    return [
        _agreement(name, some, control if some is told else "")
        for name, some in groups.items()
        if some
    ]


def _agreement(name: str, told: list[_Told], control: str) -> Metric:
    right = np.array([one.right for one in told])
    slides = np.array([one.slide for one in told])
    value, low, high = by_groups(lambda chosen: float(right[chosen].mean()), slides)
    return Metric(
        name=f"agreement with the truth in simulated fields, {name}",
        value=round(value, 4),
        low=round(low, 4),
        high=round(high, 4),
        n=len(told),
        split="slides shown to no training; JPEG, found, cut and classified as in the cloud",
        control=control,
    )
