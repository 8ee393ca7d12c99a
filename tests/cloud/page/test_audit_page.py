"""Who may look into the audit log, what it shows, and that looking is noted."""

import re

import pytest
import sqlalchemy as sa
from reading_desk import run
from reading_room import open_app

from cloud.accounts.audit import Wanted
from cloud.accounts.tables import audit_head
from cloud.page.routes.audit import audit
from cloud.page.routes.enter import enter


@pytest.fixture(autouse=True)
def few_routes(monkeypatch):
    """To make FastAPI routes of all pages anew takes most of a test's time."""
    monkeypatch.setattr("cloud.page.app.ROUTES", (enter, audit))


def fill(room):
    room.audit.note("ada", "slide-viewed", "home", "s1", "fields=2", "192.0.2.7")
    room.audit.note("grace", "cells-reclassified", "home", "s2", "cells=3 label=AML")
    room.audit.note("root", "account-disabled", account="ada")


def numbers(page):
    """Of the lines on it, from the top."""
    return [int(n) for n in re.findall(r'audit-number">(\d+)<', page.text)]


@pytest.mark.parametrize("role", ["lead", "admin"])
def test_leads_and_admins_see_every_line_the_latest_first(tmp_path, role):
    async def look():
        async with open_app(tmp_path, role) as (room, client):
            fill(room)
            page = await client.get("/audit")
            assert page.status_code == 200
            shown = numbers(page)
            assert shown == sorted(shown, reverse=True)
            assert len(shown) == room.audit.head().number
            for word in ("slide viewed", "cells=3 label=AML", "192.0.2.7", "account disabled"):
                assert word in page.text

    run(look())


def test_a_reader_does_not_and_the_try_is_noted(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            answer = await client.get("/audit")
            assert answer.status_code == 403
            assert "for leads and admins" in answer.text
            (line,) = room.audit.lines(Wanted(did="access-refused"))
            assert line.who == "ada"

    run(look())


def test_looking_is_noted_with_whom_it_was_about(tmp_path):
    async def look():
        async with open_app(tmp_path, "lead") as (room, client):
            await client.get("/audit?who=ADA")
            await client.get("/audit?who=Mrs%20Miller")
            found = [
                (line.who, line.account) for line in room.audit.lines(Wanted(did="audit-viewed"))
            ]
            assert found == [("lise", "ada"), ("lise", "")]

    run(look())


@pytest.mark.parametrize(
    ("query", "dids"),
    [
        ("slide=s1", ["slide-viewed"]),
        ("who=grace&slide=s2", ["cells-reclassified"]),
        ("slide=none", []),
        ("since=2999-01-01", []),
        ("slide=%20s1%20&since=2020-01-01", ["slide-viewed"]),
    ],
)
def test_lines_are_found_by_slide_reader_and_day(tmp_path, query, dids):
    async def look():
        async with open_app(tmp_path, "lead") as (room, client):
            fill(room)
            page = await client.get(f"/audit?{query}")
            found = {line.number: line.did for line in room.audit.lines()}
            assert [found[number] for number in numbers(page)] == dids
            assert ("No line fits." in page.text) == (not dids)

    run(look())


def test_pages_lead_on_to_earlier_lines_with_the_same_filter(tmp_path):
    async def look():
        async with open_app(tmp_path, "lead") as (room, client):
            for _ in range(230):
                room.audit.note("ada", "slide-viewed", "home", "s1")
            seen, path = [], "/audit?slide=s1"
            while path:
                page = await client.get(path)
                seen += numbers(page)
                assert len(numbers(page)) <= 100
                found = re.search(r'href="([^"]+)">Earlier', page.text)
                path = found and found[1].replace("&amp;", "&")
            wanted = [line.number for line in room.audit.lines(Wanted(slide="s1"))]
            assert seen == wanted[::-1]

    run(look())


@pytest.mark.parametrize(
    "query",
    ["since=yesterday", "since=2026-13-01", "before=0", "before=x", "before=99999999999",
     f"slide={'x' * 101}"],
)  # fmt: skip
def test_a_filter_that_is_none_is_told(tmp_path, query):
    async def look():
        async with open_app(tmp_path, "lead") as (_, client):
            assert (await client.get(f"/audit?{query}")).status_code == 422

    run(look())


def test_a_lead_can_open_the_slide_of_a_line_and_an_admin_is_not_led_there(tmp_path):
    async def look(role):
        async with open_app(tmp_path / role, role) as (room, client):
            fill(room)
            return "/slides/home/s1" in (await client.get("/audit")).text

    for role in ("lead", "admin"):
        (tmp_path / role).mkdir()
    assert run(look("lead"))
    assert not run(look("admin"))


def test_what_cannot_be_noted_is_not_shown(tmp_path):
    async def look():
        async with open_app(tmp_path, "lead") as (room, client):
            fill(room)
            with room.database.writing() as connection:
                connection.execute(sa.delete(audit_head))
            answer = await client.get("/audit")
            assert answer.status_code == 503
            assert "cells=3" not in answer.text
            assert "nothing was shown or done" in answer.text

    run(look())
