"""Pictures of one model: reliability, abstention, patients."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from model.evaluation.breakdown import Row
from model.evaluation.curves import Point
from model.evaluation.measures import Numbers
from model.evaluation.plots.style import COLOURS, FAINT, MARK, WIDTH, blank
from model.evaluation.scores import Scores

MOST_GROUPS: Final = 120
"""Drawn; of more, evenly chosen ones by rank."""


def reliability(scores: Scores) -> Figure:
    """Belief against truth with Wilson's intervals, and how many cells stand behind each."""
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    bins = scores.reliability
    belief = [one.confidence for one in bins]
    truth = np.array([one.accuracy for one in bins])
    top.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    spread = np.abs(truth[:, 1:] - truth[:, :1]).T
    top.errorbar(belief, truth[:, 0], spread, fmt="o-", color=COLOURS[0], markersize=4, linewidth=1)
    error = scores.calibration_error
    top.set_title(f"ECE {error.value:.3f} ({error.low:.3f} to {error.high:.3f}), dotted: perfect")
    top.set_ylabel("share right")
    top.set_ylim(-0.02, 1.02)
    middles = [(one.low + one.high) / 2 for one in bins]
    bottom.bar(middles, [one.cells for one in bins], bins[0].high - bins[0].low, color=COLOURS[5])
    for middle, one in zip(middles, bins, strict=True):
        bottom.annotate(
            str(one.cells),
            (middle, one.cells),
            (0, 1),
            textcoords="offset points",
            ha="center",
            fontsize=7,
        )
    bottom.set_ylabel("cells")
    bottom.margins(y=0.25)
    least = min(bins[0].low, 0.3)
    bottom.set_xlim(least, 1.005)
    bottom.set_xlabel("probability of the suggested class")
    return figure


def abstention(scores: Scores) -> Figure:
    """The whole curve from the surest cell to all, with the chosen threshold on it."""
    figure, axes = blank(3.2, grid="both")
    coverage, accuracy = steps(scores.abstention)
    axes.plot(coverage, accuracy, color=COLOURS[0])
    if scores.answered is not None:
        x, y = scores.answered.coverage.value, scores.answered.accuracy.value
        if not np.isnan(y):
            axes.plot([x], [y], "o", color=MARK, markersize=7)
            said = (
                f"chosen: unidentified below {scores.answered.threshold:.2f}\n"
                f"{x:.1%} answered, {y:.1%} of them right"
            )
            axes.set_title(said, color=MARK, fontsize=9)
    axes.set_xlim(0, 1.01)
    axes.set_ylim(min(0.9, float(np.min(accuracy[len(accuracy) // 20 :])) - 0.04), 1.005)
    axes.set_xlabel("cells answered, the surest first")
    axes.set_ylabel("share right of those answered")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    return figure


def groups(rows: Sequence[Row]) -> Figure:
    """Accuracy of each patient, slide or parent, the worst first; area as cells."""
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), MOST_GROUPS)).astype(int))
    shown = [rows[i] for i in chosen]
    figure, axes = blank(3.0, grid="y")
    sources = sorted({row.source for row in shown})
    for number, source in enumerate(sources):
        mine = [(rank, row) for rank, row in enumerate(shown, 1) if row.source == source]
        axes.scatter(
            [rank for rank, _ in mine],
            [row.accuracy.value for _, row in mine],
            s=[4 + 1.5 * row.cells for _, row in mine],
            color=COLOURS[number % len(COLOURS)],
            alpha=0.75,
            label=source,
        )
    axes.set_xlabel("patients, slides or images of several cells, worst first")
    axes.set_ylabel("share right")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.margins(y=0.08)
    axes.set_xticks([])
    figure.legend(loc="outside upper left", ncols=3, frameon=False, fontsize=9)
    return figure


def steps(curve: Sequence[Point]) -> tuple[Numbers, Numbers]:
    """Coverage and accuracy of a curve."""
    return (
        np.array([point.coverage for point in curve]),
        np.array([point.accuracy for point in curve]),
    )
