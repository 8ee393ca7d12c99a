"""Pictures of several models beside each other."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Final, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from model.evaluation.measures import Interval
from model.evaluation.plots.single import steps
from model.evaluation.plots.style import COLOURS, FAINT, MARK, blank, colour
from model.evaluation.scores import Scores

LONGEST: Final = 72
"""Of a name, in characters: more would be cut off at the right."""


class Dot(NamedTuple):
    """A figure with its interval under a name."""

    name: str
    value: Interval
    printed: bool = False
    """The paper's: hollow."""
    leaks: bool = False
    each: Sequence[float] = ()
    """Of each seed."""


def dots(rows: Sequence[Dot], what: str) -> Figure:
    """A line a model, its name above its dot, so that a narrow page has room for both."""
    figure, axes = blank(0.7 + 0.46 * len(rows), grid="x")
    low = min(row.value.low for row in rows)
    for place, row in enumerate(rows):
        ink = FAINT if row.printed else MARK if row.leaks else COLOURS[0]
        axes.plot(row.value[1:], [place, place], color=ink, linewidth=1.5)
        axes.plot(row.each, [place + 0.18] * len(row.each), "|", color=ink, markersize=5)
        filled = "white" if row.printed else ink
        axes.plot(row.value.value, place, "o", color=ink, markerfacecolor=filled)
        axes.annotate(
            f"{shorten(row.name, LONGEST, placeholder=' …')}   {row.value.value:.3f}",
            (0, place),
            (0, 7),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=8.5,
            color=ink,
        )
    axes.set_ylim(len(rows) - 0.4, -0.75)
    axes.set_yticks([])
    axes.spines.left.set_visible(False)
    axes.set_xlim(max(0.0, low - 0.03), 1.005)
    axes.set_xlabel(what)
    return figure


def curves(named: Sequence[tuple[str, Scores]]) -> Figure:
    """Accuracy against coverage of each model, named below in the order of their ends."""
    figure, axes = blank(3.0 + 0.17 * len(named), grid="both")
    least = 0.9
    ends = {name: scores.abstention[-1].accuracy for name, scores in named}
    for number, (name, scores) in enumerate(sorted(named, key=lambda one: -ends[one[0]])):
        ink, dashes = colour(number)
        coverage, accuracy = steps(scores.abstention)
        axes.plot(coverage, accuracy, color=ink, linestyle=dashes, linewidth=1.4, label=name)
        least = min(least, float(np.min(accuracy[len(accuracy) // 20 :])))
    axes.set_xlim(0, 1.005)
    axes.set_ylim(least - 0.03, 1.005)
    axes.set_xlabel("cells answered, the surest first")
    axes.set_ylabel("share right of those answered")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0))
    figure.legend(
        loc="outside lower left", frameon=False, fontsize=9, labelcolor="linecolor", handlelength=3
    )
    return figure
