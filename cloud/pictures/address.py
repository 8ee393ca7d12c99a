"""Where the page finds a picture, and what a browser may keep it by.

/pictures/field/{site}/{device}/{capture}?v=…
/pictures/cell/{site}/{device}/{capture}/{n}?v=…      n counts from 0, as in the result
/pictures/map/{site}/{device}/{capture}/{n}?v=…

`v` comes of all that the picture is made of: image, box, model, and the way it is drawn. So a
picture never changes under its address.
"""

import hashlib
from typing import Final

import msgspec

from cloud.pictures.cut import CUT_ID
from cloud.pictures.pictured import Field, Kind, likeliest
from imaging.box import Box
from wire.messages import FrameResult

HEAT_ID: Final = "contrast-viridis/1"
"""Names how `cloud.pictures.heat` draws; change the code, change the id."""


def field_address(result: FrameResult) -> str:
    """Of the whole field, a JPEG as it was captured."""
    version = field_version(result.image_sha256)
    return f"/pictures/field/{result.site}/{result.device}/{result.capture_id}?v={version}"


def cell_address(result: FrameResult, n: int) -> str:
    """Of a cell, a square JPEG."""
    version = cell_version(result.image_sha256, _box(result, n))
    return f"/pictures/cell/{result.site}/{result.device}/{result.capture_id}/{n}?v={version}"


def map_address(result: FrameResult, n: int) -> str:
    """Of a cell's class-activation map, a PNG that fits over the cell's picture."""
    likely = likeliest(result.cells[n].probabilities)
    version = map_version(result.image_sha256, _box(result, n), result.model.sha256, likely)
    return f"/pictures/map/{result.site}/{result.device}/{result.capture_id}/{n}?v={version}"


def version_of(kind: Kind, field: Field, n: int = 0) -> str:
    """The `v` of a picture; raises `PictureError` where the field has no such cell."""
    field.check(kind, n)
    if kind == "field":
        return field_version(field.image_sha256)
    if kind == "cell":
        return cell_version(field.image_sha256, field.boxes[n])
    return map_version(field.image_sha256, field.boxes[n], field.model.sha256, field.likely[n])


def field_version(image_sha256: str) -> str:
    """The `v` of a field."""
    return _version("field", image_sha256)


def cell_version(image_sha256: str, box: Box) -> str:
    """The `v` of a cell."""
    return _version("cell", image_sha256, CUT_ID, *map(str, box))


def map_version(image_sha256: str, box: Box, model_sha256: str, likely: str) -> str:
    """The `v` of a map."""
    return _version("map", cell_version(image_sha256, box), HEAT_ID, model_sha256, likely)


def _version(*made_of: str) -> str:
    return hashlib.sha256(" ".join(made_of).encode()).hexdigest()[:16]


def _box(result: FrameResult, n: int) -> Box:
    return Box(*msgspec.structs.astuple(result.cells[n].box))
