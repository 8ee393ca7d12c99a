"""No way to a slide leaves no line in the audit log, and polling costs none."""

import asyncio

import pytest
from pictured_slide import read_field
from reading_desk import run
from reading_room import client_of, open_app, put_field, put_reading
from slide_results import capture_id
from structlog.testing import capture_logs

from cloud.accounts.trouble import AccountsTroubleError
from cloud.index.index import SlideKey
from cloud.page.noted import _MOST, ANY, LATELY_S, Look, Noted
from cloud.pictures.address import cell_address, map_address

SLIDE = "/slides/home/s1"
FIELD = f"{SLIDE}/fields/scope-1/{capture_id(0)}"
NOW = {"number": 0, "shown": "x"}
DRAFT = {"draft": "{}"} | NOW
OF_A_SLIDE = [
    ("GET", f"{SLIDE}/parts", {}),
    ("GET", f"{SLIDE}/cells?bin=Normal&after=0", {}),
    ("POST", f"{SLIDE}/draft", DRAFT),
]
OF_A_FIELD = [("GET", f"{FIELD}/part", {}), ("POST", f"{FIELD}/part", DRAFT)]
STREAMS = [("/live/slides/home/s1", "slide-viewed"), ("/live/worklist", "worklist-viewed")]
KEY = SlideKey("home", "s1")


def views(room):
    return [(line.did, line.detail) for line in room.audit.lines() if line.did.endswith("-viewed")]


async def ask(client, method, path, form):
    return await client.request(method, path, data=form or None)


@pytest.mark.parametrize(("method", "path", "form"), OF_A_SLIDE)
def test_a_slide_that_is_read_without_its_page_is_noted_once(tmp_path, method, path, form):
    async def look():
        async with open_app(tmp_path) as (room, client):
            for _ in range(3):
                assert (await ask(client, method, path, form)).status_code == 200
            assert views(room) == [("slide-viewed", "")]

    run(look())


@pytest.mark.parametrize(("method", "path", "form"), OF_A_FIELD)
def test_a_field_that_is_read_without_its_page_is_noted_once(tmp_path, method, path, form):
    async def look():
        async with open_app(tmp_path) as (room, client):
            for _ in range(3):
                assert (await ask(client, method, path, form)).status_code == 200
            assert views(room) == [("field-viewed", f"field=scope-1/{capture_id(0)}")]
            assert (await client.get(f"{SLIDE}/parts")).status_code == 200
            assert views(room)[1:] == [("slide-viewed", "")]  # one field is not all of it

    run(look())


def test_behind_the_slides_page_it_costs_no_line(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            await client.get(SLIDE)
            for method, path, form in OF_A_SLIDE + OF_A_FIELD:
                assert (await ask(client, method, path, form)).status_code == 200
            assert views(room) == [("slide-viewed", "")]

    run(look())


def test_what_cannot_be_noted_is_not_shown_in_parts_either(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            room.audit.note = _full
            for method, path, form in 2 * (OF_A_SLIDE + OF_A_FIELD):
                with capture_logs():
                    answer = await ask(client, method, path, form)
                assert answer.status_code == 503
                assert "scope-1" not in answer.text

    run(look())


@pytest.mark.parametrize("address", [cell_address, map_address])
def test_pictures_without_a_page_are_one_line_for_a_field(tmp_path, address):
    async def look():
        async with open_app(tmp_path, labels=[]) as (room, client):
            result = await put_reading(room, read_field(0))
            paths = [address(result, n) for n in (0, 1, 0)]
            got = await asyncio.gather(*(client.get(path) for path in paths))
            assert {answer.status_code for answer in got} == {200}
            name = f"{result.device}/{result.capture_id}"
            assert views(room) == [("field-viewed", f"field={name}")]
            room.audit.note = _full
            async with client_of(room, "grace") as another:
                with capture_logs():
                    assert (await another.get(paths[0])).status_code == 503

    run(look())


def test_the_page_of_another_session_or_slide_does_not_count(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            await put_field(room, 9, ["Normal"], slide="s2")
            await client.get(SLIDE)
            await client.get("/slides/home/s2/parts")
            async with client_of(room, "ada") as again:
                await again.get(f"{SLIDE}/parts")
            lines = [line.slide for line in room.audit.lines() if line.did == "slide-viewed"]
            assert lines == ["s1", "s2", "s1"]

    run(look())


@pytest.mark.parametrize(("path", "did"), STREAMS)
def test_news_of_what_nobody_opened_are_noted(tmp_path, path, did):
    async def look():
        async with open_app(tmp_path) as (room, client):
            room.news.close()  # so that the streams end
            for _ in range(2):
                assert (await client.get(path)).status_code == 200
            assert views(room) == [(did, "")]
            room.audit.note = _full
            async with client_of(room, "grace") as another:
                with capture_logs():
                    assert (await another.get(path)).status_code == 503

    run(look())


def test_an_hour_later_an_open_page_costs_a_line_more():
    now = [0.0]
    noted = Noted(lambda: now[0])
    noted.keep(Look("me", KEY))
    assert noted.lately(Look("me", KEY))
    assert noted.lately(Look("me", KEY, "scope-1/x"))
    now[0] = LATELY_S - 1
    assert noted.lately(Look("me", KEY))
    now[0] = LATELY_S
    assert not noted.lately(Look("me", KEY))


def test_one_field_is_not_the_slide_but_its_news_go_with_it():
    noted = Noted()
    noted.keep(Look("me", KEY, "scope-1/x"))
    assert noted.lately(Look("me", KEY, ANY))
    assert not noted.lately(Look("me", KEY))
    assert not noted.lately(Look("me", KEY, "scope-1/y"))


def test_no_more_is_remembered_than_fits():
    noted = Noted()
    for number in range(_MOST):
        noted.keep(Look("me", SlideKey("home", f"s{number}")))
    assert len(noted._at) == _MOST
    assert not noted.lately(Look("me", SlideKey("home", "s0")))
    assert noted.lately(Look("me", SlideKey("home", f"s{_MOST - 1}")))


def _full(*_, **__):
    raise AccountsTroubleError("the disk is full")
