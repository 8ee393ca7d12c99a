"""The findings as one picture: classes by source, colour by source, the border probe."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from model.data.check.findings import Findings
from model.data.check.pictures import Seen
from model.data.check.red import suspicious
from model.evaluation.plots.style import (
    CLASS_COLOURS,
    COLOURS,
    FAINT,
    INK,
    MARK,
    WIDTH,
    png,
    styled,
)
from wire.words import RESEARCH_USE_ONLY

UNLABELLED: Final = "unlabelled"

DOTS: Final = 600
"""Pictures of a source in the scatter; evenly taken."""


def save_picture(found: Findings, seen: Sequence[Seen], path: Path) -> None:
    """Write the picture as PNG.

    Raises:
        OSError: it cannot be written.
    """
    with styled():
        sources = len({one.source for one in found.counts})
        bars, probes = 0.8 + 0.32 * sources, 0.9 + 0.32 * len(found.probes)
        figure = Figure(figsize=(1.5 * WIDTH, bars + 4.2 + probes), layout="constrained")
        upper, middle, lower = figure.subplots(3, 1, height_ratios=[bars, 4.2, probes])
        _bars(upper, found)
        _colours(middle, seen)
        _probes(lower, found)
        figure.supxlabel(fill(RESEARCH_USE_ONLY, 90), fontsize=7, color=FAINT)
        path.write_bytes(png(figure))


def _bars(axes: Axes, found: Findings) -> None:
    sources = sorted({one.source for one in found.counts}, reverse=True)
    left = dict.fromkeys(sources, 0)
    for label, colour in {**CLASS_COLOURS, UNLABELLED: FAINT}.items():
        mine = [one for one in found.counts if one.label == label]
        if not mine:
            continue
        places = [sources.index(one.source) for one in mine]
        starts = [left[one.source] for one in mine]
        axes.barh(places, [one.cells for one in mine], left=starts, color=colour, label=label)
        for one in mine:
            left[one.source] += one.cells
    axes.set_yticks(range(len(sources)), sources)
    axes.set_xlabel("cells")
    axes.set_title(f"class by source (Cramér's V {found.class_follows_source:.2f})")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))


def _colours(axes: Axes, seen: Sequence[Seen]) -> None:
    """Each picture's mean red against its mean blue: sources that lie apart are told apart."""
    readable = [one for one in seen if not one.trouble]
    for number, source in enumerate(sorted({one.picture.source for one in readable})):
        mine = [one.mean for one in readable if one.picture.source == source]
        mine = mine[:: 1 + len(mine) // DOTS]
        axes.scatter(
            [red for red, _, _ in mine],
            [blue for _, _, blue in mine],
            s=6,
            alpha=0.5,
            linewidths=0,
            color=COLOURS[number % len(COLOURS)],
            label=source,
        )
    axes.set_xlabel("mean red of a picture")
    axes.set_ylabel("mean blue")
    axes.set_title("colour by source")
    if readable:
        axes.legend(
            frameon=False, fontsize=8, markerscale=2, loc="upper left", bbox_to_anchor=(1, 1)
        )


def _probes(axes: Axes, found: Findings) -> None:
    shown = found.probes[::-1]
    for place, one in enumerate(shown):
        colour = MARK if suspicious(one) else INK
        axes.plot([one.low, one.high], [place, place], color=colour, linewidth=2)
        axes.plot(one.balanced_accuracy, place, "o", color=colour, markersize=5)
        axes.plot([one.chance, one.chance], [place - 0.35, place + 0.35], color=FAINT)
    axes.set_yticks(range(len(shown)), [one.source for one in shown])
    axes.set_ylim(-0.6, max(len(shown), 1) - 0.4)
    axes.set_xlim(0, 1)
    axes.set_xlabel("balanced accuracy, 95 % interval; grey: chance; red: far above it")
    axes.set_title("border probe: the class from three pixels of border")
