"""Pictures: a field, a cell, what the model looked at."""

from typing import Annotated, Final, NamedTuple

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from cloud.accounts.people import Account
from cloud.index.index import SlideKey
from cloud.page.door import note, note_look, reader
from cloud.page.room import Room
from cloud.pictures.address import version_of
from cloud.pictures.pictured import Field, Kind
from cloud.pictures.pictures import Pictures

_KEPT: Final = "private, max-age=86400, immutable"
"""In the browser of whoever was let in; a day, so that little is left on a shared computer."""
_NOT_KEPT: Final = "no-store"

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")]
CaptureId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
CellNumber = Annotated[int, Path(ge=0, le=100_000)]


class _Asked(NamedTuple):
    """What a request asks for."""

    site: str
    device: str
    capture: str
    version: str
    etag: str | None


async def _asked(  # async: it does not wait, and a plain function would go to a thread
    request: Request,
    site: Name,
    device: Name,
    capture: CaptureId,
    v: Annotated[str, Query(max_length=64)] = "",
) -> _Asked:
    return _Asked(site, device, capture, v, request.headers.get("if-none-match"))


def pictures(room: Room) -> APIRouter:
    """The routes. A cell is part of a slide's or a field's page: only without one is it noted."""
    routes = APIRouter(prefix="/pictures")
    Asked = Annotated[_Asked, Depends(_asked)]  # noqa: N806  # a type
    place = "{site}/{device}/{capture}"

    @routes.get(f"/field/{place}")
    async def field(
        request: Request, asked: Asked, _who: Annotated[Account, Depends(reader)]
    ) -> Response:
        found = await _find(room.pictures, asked)
        which = f"field={_name(found)}"
        await note(room, request, "picture-viewed", found.place.site, found.slide, which)
        return await _answer(room.pictures, "field", found, 0, asked)

    @routes.get(f"/cell/{place}/{{n}}", dependencies=[Depends(reader)])
    async def cell(request: Request, asked: Asked, n: CellNumber) -> Response:
        return await of_cell(request, "cell", asked, n)

    @routes.get(f"/map/{place}/{{n}}", dependencies=[Depends(reader)])
    async def heat(request: Request, asked: Asked, n: CellNumber) -> Response:
        return await of_cell(request, "map", asked, n)

    async def of_cell(request: Request, kind: Kind, asked: _Asked, n: int) -> Response:
        found = await _find(room.pictures, asked)
        key = SlideKey(found.place.site, found.slide)
        await note_look(room, request, "field-viewed", key, _name(found))
        return await _answer(room.pictures, kind, found, n, asked)

    return routes


async def _find(pictures: Pictures, asked: _Asked) -> Field:
    return await pictures.find(asked.site, asked.device, asked.capture)


def _name(field: Field) -> str:
    return f"{field.place.device}/{field.place.capture}"


async def _answer(pictures: Pictures, kind: Kind, field: Field, n: int, asked: _Asked) -> Response:
    version = version_of(kind, field, n)
    etag = f'"{version}"'
    kept = _KEPT if asked.version == version else _NOT_KEPT
    headers = {"Cache-Control": kept, "ETag": etag}
    if asked.etag == etag:
        return Response(None, 304, headers)
    picture = await pictures.show(kind, field, n)
    return Response(picture.data, headers=headers, media_type=picture.media_type)
