"""Where the page finds a picture, and what a browser may keep it by.

/pictures/field/{site}/{device}/{capture}?v=…
/pictures/cell/{site}/{device}/{capture}/{n}?v=…      n counts from 0, as in the result
/pictures/map/{site}/{device}/{capture}/{n}?v=…

`v` comes of all that the picture is made of: image, box, model, and the way it is drawn. So a
picture never changes under its address.
"""

import hashlib
from typing import Final

from cloud.pictures.cut import CUT_ID
from cloud.pictures.pictured import Field, Kind, field_of
from wire.messages import FrameResult

HEAT_ID: Final = "contrast-viridis/1"
"""Names how `cloud.pictures.heat` draws; change the code, change the id."""


def field_address(result: FrameResult) -> str:
    """Of the whole field, a JPEG as it was captured."""
    return _address("field", field_of(result))


def cell_address(result: FrameResult, n: int) -> str:
    """Of a cell, a square JPEG."""
    return _address("cell", field_of(result), n)


def map_address(result: FrameResult, n: int) -> str:
    """Of a cell's class-activation map, a PNG that fits over the cell's picture."""
    return _address("map", field_of(result), n)


def version_of(kind: Kind, field: Field, n: int = 0) -> str:
    """The `v` of a picture; raises `PictureError` where the field has no such cell."""
    field.check(kind, n)
    made_of = [kind, field.image_sha256]
    if kind != "field":
        made_of += [CUT_ID, *map(str, field.boxes[n])]
    if kind == "map":
        made_of += [HEAT_ID, field.model.sha256, field.likely[n]]
    return hashlib.sha256(" ".join(made_of).encode()).hexdigest()[:16]


def _address(kind: Kind, field: Field, n: int | None = None) -> str:
    place = field.place
    which = "" if n is None else f"/{n}"
    version = version_of(kind, field, n or 0)
    return f"/pictures/{kind}/{place.site}/{place.device}/{place.capture}{which}?v={version}"
