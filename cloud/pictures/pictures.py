"""Pictures for the reading room: fields, cells, and maps of what the model looked at."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from cloud.index.index import Index
from cloud.pictures import sheets
from cloud.pictures.address import HEAT_ID
from cloud.pictures.cut import CUT_ID
from cloud.pictures.kept import Kept
from cloud.pictures.makers import Makers
from cloud.pictures.once import Once
from cloud.pictures.pictured import Field, Kind, Place, find_field
from cloud.pictures.problem import PictureError
from cloud.pictures.store import Fetcher

_THREADS: Final = 2
"""That decode at a time; a decoded field takes up to 120 MB."""

_SHEET: Final = msgspec.msgpack.Decoder(list[bytes])


@dataclass(frozen=True, slots=True)
class Picture:
    """What a browser is sent."""

    data: bytes
    media_type: Literal["image/jpeg", "image/png"]


class Pictures:
    """Makes pictures, and keeps them. On one event loop; the work is done on threads.

    A field is decoded once for all its cells: the gallery asks for them one by one, and they lie
    together as a sheet. The same of its maps.

    Args:
        index: says which fields and cells there are.
        fetcher: fetches fields.
        makers: finds the model that made a suggestion.
        kept: what was fetched and made before.
    """

    def __init__(self, index: Index, fetcher: Fetcher, makers: Makers, kept: Kept) -> None:
        self._index = index
        self._fetcher = fetcher
        self._makers = makers
        self._kept = kept
        self._once = Once[bytes]()
        self._threads = ThreadPoolExecutor(_THREADS, "pictures")

    async def close(self) -> None:
        """Give up what is under way."""
        await self._once.close()
        await self._makers.close()
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)

    async def find(self, site: str, device: str, capture: str) -> Field:
        """What the projection says of a field.

        Raises:
            PictureError: `picture-unknown`.
        """
        place = Place(site, device, capture)
        field = await asyncio.to_thread(find_field, self._index, place)
        if field is None:
            raise PictureError("picture-unknown", "There is no such field.")
        return field

    async def show(self, kind: Kind, field: Field, n: int = 0) -> Picture:
        """One picture of a field, or of its cell `n`.

        Raises:
            PictureError: why it cannot be shown.
        """
        field.check(kind, n)
        if kind == "field":
            return Picture(await self._jpeg(field), "image/jpeg")
        if kind == "cell":
            return Picture((await self._cells(field))[n], "image/jpeg")
        return Picture((await self._maps(field))[n], "image/png")

    async def field(self, site: str, device: str, capture: str) -> bytes:
        """A field's JPEG, as it was captured; raises `PictureError`."""
        return (await self.show("field", await self.find(site, device, capture))).data

    async def cell(self, site: str, device: str, capture: str, n: int) -> bytes:
        """A cell's JPEG; raises `PictureError`."""
        return (await self.show("cell", await self.find(site, device, capture), n)).data

    async def map(self, site: str, device: str, capture: str, n: int) -> bytes:
        """A cell's class-activation map, a PNG; raises `PictureError`."""
        return (await self.show("map", await self.find(site, device, capture), n)).data

    async def _jpeg(self, field: Field) -> bytes:
        async def fetch() -> bytes:
            return await self._fetcher.fetch(field)

        return await self._made(f"field {field.image_sha256}", fetch)

    async def _cells(self, field: Field) -> list[bytes]:
        async def cut() -> bytes:
            jpeg = await self._jpeg(field)
            return msgspec.msgpack.encode(await self._work(sheets.cells, jpeg, field))

        name = f"cells {CUT_ID} {field.image_sha256} {field.boxes}"
        return _SHEET.decode(await self._made(name, cut))

    async def _maps(self, field: Field) -> list[bytes]:
        async def draw() -> bytes:
            both = self._makers.of(field.model), self._jpeg(field)
            maker, jpeg = await asyncio.gather(*both)  # at once: nobody waits twice
            return msgspec.msgpack.encode(await self._work(sheets.maps, jpeg, field, maker))

        name = f"maps {HEAT_ID} {field.model.sha256} {field.image_sha256} {field.boxes}"
        return _SHEET.decode(await self._made(name, draw))

    async def _made(self, name: str, make: Callable[[], Coroutine[Any, Any, bytes]]) -> bytes:
        async def make_and_keep() -> bytes:
            data = await self._kept.get(name)
            if data is None:
                data = await make()
                await self._kept.put(name, data)
            return data

        return self._kept.at_hand(name) or await self._once.do(name, make_and_keep)

    async def _work(self, work: Callable[..., list[bytes]], *on: object) -> list[bytes]:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *on)
