"""Pictures over HTTP: who may see them, and what a browser may keep."""

import asyncio
from urllib.parse import urlsplit

import pytest
from pictured_slide import read_field, smear_field
from reading_room import client_of, open_app, put_reading

from cloud.pictures.address import cell_address, field_address, map_address
from cloud.pictures.store import PATIENCE_S


def visit(tmp_path, look, role="reader", **settings):
    async def run():
        async with open_app(tmp_path, role, labels=[], **settings) as (room, client):
            result = await put_reading(room, read_field(0))
            return await look(room, client, result)

    return asyncio.run(asyncio.wait_for(run(), 60))


def plain(address):
    return urlsplit(address).path


def test_a_reader_sees_field_cell_and_map_as_what_they_are(tmp_path):
    async def look(room, client, result):
        field = await client.get(field_address(result))
        assert (field.status_code, field.headers["content-type"]) == (200, "image/jpeg")
        assert field.content == smear_field(0)[0]
        cell = await client.get(cell_address(result, 1))
        assert (cell.status_code, cell.headers["content-type"]) == (200, "image/jpeg")
        assert cell.content.startswith(b"\xff\xd8")
        heat = await client.get(map_address(result, 1))
        assert (heat.status_code, heat.headers["content-type"]) == (200, "image/png")
        assert heat.content.startswith(b"\x89PNG")
        for answer in (field, cell, heat):
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"

    visit(tmp_path, look)


def test_under_its_version_a_picture_is_kept_and_without_it_never(tmp_path):
    async def look(room, client, result):
        for address in (field_address(result), cell_address(result, 0), map_address(result, 0)):
            kept = await client.get(address)
            assert kept.headers["cache-control"] == "private, max-age=86400, immutable"
            for other in (plain(address), plain(address) + "?v=0123456789abcdef"):
                assert (await client.get(other)).headers["cache-control"] == "no-store"

    visit(tmp_path, look)


def test_what_the_browser_has_is_not_sent_again_nor_made(tmp_path):
    async def look(room, client, result):
        address = cell_address(result, 0)
        etag = (await client.get(address)).headers["etag"]
        await room.objects.delete(result.image_key)
        again = await client.get(address, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert "immutable" in again.headers["cache-control"]
        other = await client.get(address, headers={"If-None-Match": '"another"'})
        assert other.status_code == 200

    visit(tmp_path, look)


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("admin", 403), ("lead", 200)])
def test_who_is_no_reader_sees_no_picture(tmp_path, role, status):
    async def look(room, client, result):
        for address in (field_address(result), cell_address(result, 0), map_address(result, 0)):
            for asked in (address, plain(address)):
                answer = await client.get(asked, headers={"Accept": "image/*"})
                assert answer.status_code == status
                assert (status == 200) == answer.headers["content-type"].startswith("image/")

    visit(tmp_path, look, role)


def test_names_that_are_none_and_pictures_that_are_not_there_are_told_apart(tmp_path):
    async def look(room, client, result):
        capture = result.capture_id
        for path, status, reason in [
            (f"cell/home/scope-1/{capture}/99", 404, "picture-unknown"),
            (f"cell/elsewhere/scope-1/{capture}/0", 404, "picture-unknown"),
            ("field/home/scope-1/01900000-0000-7000-8000-000000000000", 404, "picture-unknown"),
            (f"cell/home/scope-1/{capture}/-1", 422, "request-invalid"),
            (f"cell/home/scope-1/{capture}/x", 422, "request-invalid"),
            (f"cell/home/sc%01pe/{capture}/0", 422, "request-invalid"),
            (f"cell/home/{'s' * 64}/{capture}/0", 422, "request-invalid"),
            ("field/home/scope-1/..%2f..%2fetc", 404, "no-such-page"),
            ("field/home/scope-1/latest", 422, "request-invalid"),
        ]:
            answer = await client.get(f"/pictures/{path}")
            assert (path, answer.status_code, answer.json()["reason"]) == (path, status, reason)
            assert answer.json()["sentence"].endswith(".")
            assert answer.headers["cache-control"] == "no-store"

    visit(tmp_path, look)


def test_a_picture_that_is_gone_or_altered_says_which(tmp_path):
    async def look(room, client, result):
        await room.objects.put(result.image_key, b"another")
        altered = await client.get(cell_address(result, 0))
        assert (altered.status_code, altered.json()["reason"]) == (409, "picture-altered")
        await room.objects.delete(result.image_key)
        gone = await client.get(field_address(result))
        assert (gone.status_code, gone.json()["reason"]) == (404, "picture-gone")
        assert gone.headers["cache-control"] == "no-store"

    visit(tmp_path, look)


def test_while_the_store_is_away_the_answer_is_503_in_time(tmp_path):
    class Away:
        async def get(self, key):
            await asyncio.sleep(3600)

    async def look(room, client, result):
        room.pictures._fetcher._objects = Away()
        async with asyncio.timeout(PATIENCE_S + 5):  # of a busy machine
            answer = await client.get(cell_address(result, 0))
        assert (answer.status_code, answer.json()["reason"]) == (503, "store-away")

    visit(tmp_path, look)


def test_whoever_takes_a_whole_field_is_noted_before_it_is_shown(tmp_path):
    async def look(room, client, result):
        await client.get(field_address(result))
        await client.get(cell_address(result, 0))
        noted = [line for line in room.audit.lines() if line.did == "picture-viewed"]
        [line] = noted
        assert (line.who, line.site, line.slide) == ("ada", "home", "s1")
        assert line.detail == f"field=scope-1/{result.capture_id}"

    visit(tmp_path, look)


def test_a_session_that_ended_sees_no_picture_any_more(tmp_path):
    async def look(room, client, result):
        async with client_of(room, "grace") as grace:
            assert (await grace.get(cell_address(result, 0))).status_code == 200
            assert (await grace.post("/logout")).status_code == 303
            assert (await grace.get(cell_address(result, 0))).status_code == 401

    visit(tmp_path, look)
