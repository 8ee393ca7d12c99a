"""Where the fields of a scan lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import Final

from edge.stage.base import Place

MOST_FIELDS: Final = 100_000

_HAIR: Final = 1e-6
"""Of a step: an area of exactly three fields is not four for the sake of a rounding."""


@dataclass(frozen=True)
class Area:
    """A part of the slide, in µm of the stage; `x`, `y` are those of its first field."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Plan:
    """The fields of an area in the order they are visited.

    Args:
        area: of the slide.
        step_x_um: from field to field: a field's width, or less to let them overlap.
        step_y_um: from row to row.

    Raises:
        ValueError: a length is not above 0, or there are more than MOST_FIELDS fields.
    """

    area: Area
    step_x_um: float
    step_y_um: float

    def __post_init__(self) -> None:
        lengths = (self.area.width, self.area.height, self.step_x_um, self.step_y_um)
        if not all(length > 0 for length in lengths):
            raise ValueError("area and steps of a scan are lengths: above 0 µm")
        if len(self) > MOST_FIELDS:
            raise ValueError(
                f"{len(self)} fields are too many to scan (at most {MOST_FIELDS}): take a smaller "
                "area or wider steps"
            )

    @property
    def columns(self) -> int:
        """Fields side by side."""
        return ceil(self.area.width / self.step_x_um - _HAIR)

    @property
    def rows(self) -> int:
        """Fields below one another."""
        return ceil(self.area.height / self.step_y_um - _HAIR)

    def __len__(self) -> int:
        return self.columns * self.rows

    def place(self, index: int) -> Place:
        """Of a field, counted from 0: there and back, row below row. Its z is 0.

        Raises:
            IndexError: there is no such field.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"no field {index} in a scan of {len(self)}")
        row, column = divmod(index, self.columns)
        if row % 2:
            column = self.columns - 1 - column
        return Place(self.area.x + column * self.step_x_um, self.area.y + row * self.step_y_um)


def serpentine(area: Area, step_x_um: float, step_y_um: float) -> Iterator[Place]:
    """All places of a `Plan` in their order: each is one step from the one before."""
    plan = Plan(area, step_x_um, step_y_um)
    return (plan.place(index) for index in range(len(plan)))
