"""A seeded Wright-Giemsa blood smear with ground truth: for the edge's camera and for training.

One drawing, one place: see docs/decisions/003-simulator-lives-in-imaging.md.
"""

from imaging.simulator.kinds import KINDS, CellKind, SlideKind
from imaging.simulator.optics import Optics
from imaging.simulator.planes import CAMERA_PIXELS_PER_UM
from imaging.simulator.samples import RenderedCell, iter_cells, render_cell
from imaging.simulator.scene import DrawnCell, Field
from imaging.simulator.slide import SMEAR_BEGINS_UM, Smear
from imaging.simulator.stain import Stain

__all__ = [
    "CAMERA_PIXELS_PER_UM",
    "KINDS",
    "SMEAR_BEGINS_UM",
    "CellKind",
    "DrawnCell",
    "Field",
    "Optics",
    "RenderedCell",
    "SlideKind",
    "Smear",
    "Stain",
    "iter_cells",
    "render_cell",
]
