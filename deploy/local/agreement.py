"""How far the suggestions agree with what the simulator drew. No figure about any patient."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edge.cameras.base import TrueCell
from imaging.box import Box, overlap
from wire.messages import CellResult, FrameResult

MATCH_IOU = 0.5
"""A found cell is a drawn one from this intersection over union on, as in PASCAL VOC."""


@dataclass
class Agreement:
    """Counts over all fields of a run."""

    drawn: int = 0
    found: int = 0
    """Drawn cells that were found."""
    extra: int = 0
    """Found cells that nobody drew."""
    agreed: int = 0
    """Found cells whose label is the drawn one."""
    unidentified: int = 0
    confusion: dict[str, dict[str, int]] = field(default_factory=dict)
    """Drawn label → suggested label → cells."""

    @property
    def share(self) -> float | None:
        """Of the found cells that the model identified, how many agree; None without any."""
        identified = self.found - self.unidentified
        return round(self.agreed / identified, 4) if identified else None

    def add(self, result: FrameResult, truth: Iterable[TrueCell], scale: float) -> None:
        """Compare one field.

        Args:
            result: its boxes are in pixels of the sent image.
            truth: boxes in pixels of the picture.
            scale: pixels of the sent image per pixel of the picture.
        """
        left = list(result.cells)
        for cell in truth:
            self.drawn += 1
            if match := _best(cell, left, scale):
                left.remove(match)
                self._compare(cell.label, match.label)
        self.extra += len(left)

    def _compare(self, drawn: str, suggested: str) -> None:
        self.found += 1
        self.unidentified += suggested == "unidentified"
        self.agreed += suggested == drawn
        row = self.confusion.setdefault(drawn, {})
        row[suggested] = row.get(suggested, 0) + 1


def _best(cell: TrueCell, left: list[CellResult], scale: float) -> CellResult | None:
    box = Box(*(round(value * scale) for value in cell.box))

    def iou(found: CellResult) -> float:
        return overlap(box, Box(found.box.x, found.box.y, found.box.w, found.box.h))

    best = max(left, key=iou, default=None)
    return best if best is not None and iou(best) >= MATCH_IOU else None
