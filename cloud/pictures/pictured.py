"""What of a stored field a picture is made of, by the projection."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import sqlalchemy as sa

from cloud.index.index import Index
from cloud.index.tables import cells, fields
from cloud.pictures.problem import PictureError
from imaging.box import Box
from wire.messages import ModelRef

Kind: TypeAlias = Literal["field", "cell", "map"]
"""Of a picture: the whole field, a cell, or what the model looked at in it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which field."""

    site: str
    device: str
    capture: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field, and where its cells are."""

    place: Place
    slide: str
    image_key: str
    image_sha256: str
    model: ModelRef
    """That made the suggestions."""
    boxes: tuple[Box, ...]
    """Of the cells, in the order of the result."""
    likely: tuple[str, ...]
    """The likeliest class of each, also where it is `unidentified`."""

    def check(self, kind: Kind, n: int) -> None:
        """Whether the field has such a picture.

        Raises:
            PictureError: `picture-unknown`.
        """
        if kind != "field" and not 0 <= n < len(self.boxes):
            raise PictureError("picture-unknown", f"The field has no cell {n}.")


_FIELD = sa.select(
    fields.c.slide,
    fields.c.image_key,
    fields.c.image_sha256,
    fields.c.model,
    fields.c.model_version,
    fields.c.model_sha256,
)
_CELLS = sa.select(cells.c.x, cells.c.y, cells.c.w, cells.c.h, cells.c.probabilities)


def find_field(index: Index, place: Place) -> Field | None:
    """Look a field up; None where the projection has none such."""
    with index.engine.connect() as connection:
        row = connection.execute(_FIELD.where(*_at(fields, place))).one_or_none()
        if row is None:
            return None
        found = connection.execute(_CELLS.where(*_at(cells, place)).order_by(cells.c.n)).all()
    slide, key, sha256, name, version, digest = row
    return Field(
        place=place,
        slide=slide,
        image_key=key,
        image_sha256=sha256,
        model=ModelRef(name, version, digest),
        boxes=tuple(Box(x, y, w, h) for x, y, w, h, _ in found),
        likely=tuple(likeliest(chances) for *_, chances in found),
    )


def likeliest(probabilities: dict[str, float]) -> str:
    """The class of the largest probability; the first of equals, empty where there is none."""
    return max(probabilities, key=probabilities.__getitem__, default="")


def _at(table: sa.Table, place: Place) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        table.c.site == place.site,
        table.c.device == place.device,
        table.c.capture_id == place.capture,
    )
