"""What all pictures have alike. Colours of Okabe and Ito, which colour-blind eyes tell apart."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

WIDTH: Final = 4.4
"""Inches; at 72 dots an inch the width of a phone's column, so that letters keep their size."""

INK: Final = "#222222"
FAINT: Final = "#8a8a8a"
GRID: Final = "#e4e4e4"
MARK: Final = "#b00020"
"""What was chosen, and what leaks."""

CLASS_COLOURS: Final = {"ALL": "#0072B2", "AML": "#D55E00", "Normal": "#009E73"}
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES: Final = ("-", "--", "-.", ":")

SETTINGS: Final[Any] = {
    "font.size": 10,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.fonttype": "none",  # letters stay letters: they can be searched and read aloud
    "svg.hashsalt": "leukoscope",  # the same figures, the same bytes
}


@contextmanager
def styled() -> Iterator[None]:
    """Inside, figures are made and written in this style."""
    with mpl.rc_context(SETTINGS):
        yield


def blank(height: float, *, grid: str = "") -> tuple[Figure, Axes]:
    """A figure with one pair of axes, `height` inches high; `grid` is x, y or both."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    if grid:
        axes.grid(axis=grid)  # type: ignore[arg-type]  # a Literal of just these words
        axes.set_axisbelow(True)
    return figure, axes


def png(figure: Figure, dpi: int = 160) -> bytes:
    """Written as PNG. Its layout stays as it then is: to find it is most of the work."""
    buffer = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(buffer, dpi=dpi, format="png", metadata={"Software": None})
    figure.set_layout_engine("none")
    return buffer.getvalue()


def svg(figure: Figure) -> str:
    """Written as an SVG element to stand inside a page."""
    buffer = io.BytesIO()
    # Without a date the same figures give the same bytes; the rest would only name matplotlib.
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    FigureCanvasSVG(figure).print_figure(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue().decode()
    return text[text.index("<svg") :]


def colour(number: int) -> tuple[str, str]:
    """Colour and dashes of the model of this number: 28 look different."""
    return COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
