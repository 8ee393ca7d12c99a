"""The cells of a report's gallery, cut from the stored fields."""

import asyncio
from itertools import groupby
from operator import attrgetter
from typing import Protocol, TypeAlias

import structlog

from cloud.pictures.cut import cut_jpegs
from cloud.reports.facts import Pictured, ReportFacts
from cloud.reviews.entry import CellName
from imaging.box import Box
from imaging.decode import decode
from imaging.decode_error import DecodeError

Pictures: TypeAlias = dict[CellName, bytes]
"""JPEG of each cell whose field is stored."""

_log = structlog.get_logger("cloud.reports")


class Gets(Protocol):
    """What this needs of a bucket."""

    async def get(self, key: str) -> bytes | None:
        """Read an object; None when there is none."""
        ...


async def load_pictures(objects: Gets, facts: ReportFacts) -> Pictures:
    """Cut the gallery's cells out; a field that is gone or altered leaves its cells out, logged."""
    fields = {field.name: field for field in facts.fields}
    found: Pictures = {}
    for name, cells in groupby(sorted(facts.gallery, key=attrgetter("cell")), attrgetter("field")):
        data = await objects.get(fields[name].image_key)
        if data is None:
            _log.warning("field_not_stored", field=name)
            continue
        try:
            found |= await asyncio.to_thread(_cut, data, fields[name].image_sha256, list(cells))
        except (DecodeError, ValueError) as error:
            _log.error("field_not_shown", field=name, detail=str(error))
    return found


def _cut(data: bytes, sha256: str, cells: list[Pictured]) -> Pictures:
    image = decode(data, sha256=sha256)
    boxes = [Box(*_numbers(cell)) for cell in cells]
    return {
        cell.cell: picture for cell, picture in zip(cells, cut_jpegs(image, boxes), strict=True)
    }


def _numbers(cell: Pictured) -> tuple[int, int, int, int]:
    return cell.box.x, cell.box.y, cell.box.w, cell.box.h
