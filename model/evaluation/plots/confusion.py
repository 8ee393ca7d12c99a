"""Confusion matrices: counts and shares of a row."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.evaluation.measures import Numbers
from model.evaluation.plots.style import INK, WIDTH, blank
from model.evaluation.scores import Scores


def confusion(scores: Scores) -> Figure:
    """One matrix, with counts and row shares in its fields."""
    rows = _filled(scores)
    figure, axes = blank(0.9 + 0.75 * len(rows))
    _draw(axes, scores, size=11)
    axes.set_xlabel("suggested")
    axes.set_ylabel("right")
    return figure


def confusions(named: Sequence[tuple[str, Scores]]) -> Figure:
    """Small ones side by side, two in a row, each under the lines of its model's name."""
    lines = (len(named) + 1) // 2
    figure = Figure(figsize=(WIDTH, 2.25 * lines), layout="constrained")
    for number, (name, scores) in enumerate(named, 1):
        axes = figure.add_subplot(lines, 2, number)
        _draw(axes, scores, size=8)
        axes.set_title("\n".join(map(_shortened, name.splitlines())), fontsize=8)
        axes.tick_params(labelsize=8)
    figure.supxlabel("suggested", fontsize=9)
    figure.supylabel("right", fontsize=9)
    return figure


def _draw(axes: Axes, scores: Scores, size: int) -> None:
    rows = _filled(scores)
    counts = np.array(scores.confusion, float)[rows]
    shares: Numbers = counts / counts.sum(axis=1, keepdims=True)
    # Not imshow, which would put a bitmap into the SVG.
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1)
    axes.invert_yaxis()
    for (row, column), share in np.ndenumerate(shares):
        axes.text(
            column + 0.5,
            row + 0.5,
            f"{counts[row, column]:.0f}\n{share:.1%}",
            ha="center",
            va="center",
            fontsize=size,
            color="white" if share > 0.5 else INK,
        )
    axes.set_xticks(np.arange(len(scores.labels)) + 0.5, scores.labels)
    axes.set_yticks(np.arange(len(rows)) + 0.5, [scores.labels[row] for row in rows])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _filled(scores: Scores) -> list[int]:
    """Rows of classes that have cells here."""
    return [number for number, row in enumerate(scores.confusion) if sum(row)]


def _shortened(name: str, most: int = 24) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
