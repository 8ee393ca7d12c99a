"""Fields and cells as the reading room shows them."""

import asyncio
import hashlib
import io
import time
from collections import Counter

import msgspec
import numpy as np
import pytest
from pictured_slide import DEVICE, SITE, Pictured, read_field, smear_field
from PIL import Image

from cloud.pictures import PictureError, sheets
from cloud.pictures.address import cell_address, field_address, map_address, version_of
from cloud.pictures.cut import cut_jpegs
from cloud.pictures.pictured import Place, find_field
from cloud.pictures.store import PATIENCE_S
from imaging.box import Box
from imaging.crop import cut_cells, square_of
from imaging.decode import decode


class Counting:
    """A bucket that counts what is read, and can be away."""

    def __init__(self, objects):
        self.objects, self.reads, self.away = objects, Counter(), False

    async def get(self, key):
        self.reads[key] += 1
        if self.away:
            await asyncio.sleep(3600)
        return await self.objects.get(key)


@pytest.fixture
def seen(tmp_path, request):
    """Runs a test's coroutine with a room of pictures that holds field 0."""

    def run(look, **settings):
        async def whole():
            here = Pictured(tmp_path, **settings)
            here.counting = Counting(here.objects)
            here.pictures._fetcher._objects = here.counting
            result = await here.hold(read_field(0))
            try:
                return await look(here, result)
            finally:
                await here.close()

        return asyncio.run(asyncio.wait_for(whole(), 60))

    return run


def where(result, *n):
    return (result.site, result.device, result.capture_id, *n)


def refused(code):
    return pytest.raises(PictureError, match=r"\w+ .*\.$", check=lambda error: error.code == code)


def test_a_field_is_the_very_jpeg_that_was_captured(seen):
    async def look(here, result):
        data = await here.pictures.field(*where(result))
        assert data == smear_field(0)[0]
        assert hashlib.sha256(data).hexdigest() == result.image_sha256

    seen(look)


def test_a_cell_is_the_square_that_the_model_saw(seen):
    async def look(here, result):
        whole = decode(smear_field(0)[0])
        assert len(result.cells) > 1
        for n, cell in enumerate(result.cells):
            shown = Image.open(io.BytesIO(await here.pictures.cell(*where(result, n))))
            assert (shown.format, shown.size) == ("JPEG", (160, 160))
            box = Box(*msgspec.structs.astuple(cell.box))
            drawn = np.asarray(shown, np.int16)
            cut = cut_cells(whole, [box], 160, 160)[0].astype(np.int16)
            assert np.abs(drawn - cut).mean() < 4  # JPEG's loss, no more

    seen(look)


def test_the_square_of_a_box_is_what_is_cut_out_of_the_image():
    image = np.random.default_rng(3).integers(0, 256, (200, 300, 3), np.uint8)
    box = Box(100, 60, 40, 30)
    left, top, width, height = square_of(box)
    assert width == height == 50
    assert np.array_equal(
        cut_cells(image, [box], 50, 50)[0], image[top : top + height, left : left + width]
    )


def test_a_gallery_asked_for_at_once_reads_and_decodes_its_field_once(seen, monkeypatch):
    decoded = []
    monkeypatch.setattr(sheets, "decode", lambda data: decoded.append(1) or decode(data))

    async def look(here, result):
        asked = [here.pictures.cell(*where(result, n)) for n in range(len(result.cells))] * 1
        shown = await asyncio.gather(*asked, here.pictures.field(*where(result)))
        assert len(set(shown)) == len(shown)
        assert here.counting.reads == {result.image_key: 1}
        assert len(decoded) == 1

    seen(look)


def test_what_was_shown_once_comes_while_the_store_is_away_and_the_rest_says_so_in_time(seen):
    async def look(here, result):
        other = await here.hold(read_field(1))
        kept = await here.pictures.cell(*where(result, 0))
        here.counting.away = True
        assert await here.pictures.cell(*where(result, 0)) == kept
        began = time.monotonic()
        asked = [here.pictures.cell(*where(other, n)) for n in range(len(other.cells))]
        told = await asyncio.gather(
            *asked, here.pictures.map(*where(other, 0)), return_exceptions=True
        )
        assert {error.code for error in told} == {"store-away"}
        assert PATIENCE_S < 3
        assert PATIENCE_S - 0.1 < time.monotonic() - began < PATIENCE_S + 5  # a busy machine's
        again = time.monotonic()
        with refused("store-away"):
            await here.pictures.field(*where(other))
        assert time.monotonic() - again < PATIENCE_S / 2, (
            "nobody waits anew while it is known to be away"
        )

    seen(look)


def test_the_store_is_asked_again_after_a_while(seen):
    async def look(here, result):
        here.pictures._fetcher._patience_s = 0.05
        here.pictures._fetcher._away_s = 0.2
        here.counting.away = True
        with refused("store-away"):
            await here.pictures.field(*where(result))
        here.counting.away = False
        await asyncio.sleep(0.25)
        assert await here.pictures.field(*where(result)) == smear_field(0)[0]

    seen(look)


def test_a_picture_that_was_altered_in_the_store_is_never_shown(seen):
    async def look(here, result):
        await here.objects.put(result.image_key, smear_field(1)[0])
        for ask in (here.pictures.field(*where(result)), here.pictures.cell(*where(result, 0))):
            with refused("picture-altered"):
                await ask

    seen(look)


def test_a_picture_that_was_deleted_from_the_store_is_said_to_be_gone(seen):
    async def look(here, result):
        await here.objects.delete(result.image_key)
        with refused("picture-gone"):
            await here.pictures.cell(*where(result, 0))

    seen(look)


def test_a_field_that_is_no_image_is_unreadable(seen):
    async def look(here, result):
        whole = smear_field(0)[0][:-40000]
        cut = hashlib.sha256(whole).hexdigest()
        changes = {"image_sha256": cut, "image_key": "frames/cut", "device": "scope-9"}
        damaged = msgspec.structs.replace(result, **changes)
        await here.objects.put("frames/cut", whole)
        here.index.put([damaged])
        assert await here.pictures.field(*where(damaged)) == whole
        for kind in (here.pictures.cell, here.pictures.map):
            with refused("picture-unreadable"):
                await kind(*where(damaged, 0))

    seen(look)


def test_what_the_projection_does_not_know_is_no_picture(seen):
    async def look(here, result):
        with refused("picture-unknown"):
            await here.pictures.field(SITE, DEVICE, "01900000-0000-7000-8000-000000000000")
        for n in (len(result.cells), -1):
            with refused("picture-unknown"):
                await here.pictures.cell(*where(result, n))

    seen(look)


def test_who_stops_waiting_takes_the_picture_from_nobody(seen):
    async def look(here, result):
        first = asyncio.ensure_future(here.pictures.cell(*where(result, 0)))
        second = asyncio.ensure_future(here.pictures.cell(*where(result, 1)))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second)[:2] == b"\xff\xd8"
        assert here.counting.reads == {result.image_key: 1}

    seen(look)


def test_an_address_changes_with_all_that_the_picture_is_made_of():
    result = read_field(0).result
    other_model = msgspec.structs.replace(
        result, model=msgspec.structs.replace(result.model, sha256="b" * 64)
    )
    other_image = msgspec.structs.replace(result, image_sha256="c" * 64)
    assert field_address(result) == field_address(other_model) != field_address(other_image)
    assert cell_address(result, 0) == cell_address(other_model, 0) != cell_address(other_image, 0)
    assert map_address(result, 0) != map_address(other_model, 0)
    every = [
        field_address(result),
        *(cell_address(result, n) for n in (0, 1)),
        *(map_address(result, n) for n in (0, 1)),
    ]
    assert len({address.partition("=")[2] for address in every}) == len(every)


def test_page_and_projection_agree_on_addresses(seen):
    async def look(here, result):
        field = find_field(here.index, Place(*where(result)))
        assert field_address(result).endswith(f"{result.capture_id}?v={version_of('field', field)}")
        for n in range(len(result.cells)):
            assert cell_address(result, n).endswith(f"/{n}?v={version_of('cell', field, n)}")
            assert map_address(result, n).endswith(f"/{n}?v={version_of('map', field, n)}")

    seen(look)


def test_a_box_outside_its_image_is_refused():
    with pytest.raises(ValueError, match="outside the image"):
        cut_jpegs(np.zeros((100, 100, 3), np.uint8), [Box(200, 0, 10, 10)])
