"""Whoever looks at a slide stands in the audit log, and what cannot be noted is not shown."""

from reading_desk import run
from reading_room import open_app
from slide_results import capture_id
from structlog.testing import capture_logs

from cloud.accounts.audit import Wanted
from cloud.accounts.trouble import AccountsTroubleError

FIELD = f"/slides/home/s1/fields/scope-1/{capture_id(0)}"
VIEWS = {
    "/": "worklist-viewed",
    "/api/worklist": "worklist-viewed",
    "/slides/home/s1": "slide-viewed",
    "/api/slides/home/s1": "slide-viewed",
    FIELD: "field-viewed",
    "/slides/home/s1/report.fhir.json": "report-taken",
}


def test_every_view_is_noted_with_who_what_and_from_where(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):
            for path in VIEWS:
                assert (await client.get(path)).status_code == 200, path
            lines = [line for line in room.audit.lines(Wanted()) if line.who]
            assert [line.did for line in lines] == list(VIEWS.values())
            assert {(line.who, line.address) for line in lines} == {("ada", "127.0.0.1")}
            assert [line.slide for line in lines] == ["", "", "s1", "s1", "s1", "s1"]
            assert room.audit.verify() == []

    run(look())


def test_what_cannot_be_noted_is_not_shown(tmp_path):
    async def look():
        async with open_app(tmp_path) as (room, client):

            def full(*_, **__):
                raise AccountsTroubleError("the disk is full")

            room.audit.note = full
            for path in VIEWS:
                with capture_logs() as logs:
                    answer = await client.get(path)
                assert answer.status_code == 503, path
                assert "scope-1" not in answer.text, path
                assert [log["event"] for log in logs] == ["database_away"]

    run(look())


def test_what_cannot_be_noted_is_not_done(tmp_path):
    async def press():
        async with open_app(tmp_path) as (room, client):

            def full(*_, **__):
                raise AccountsTroubleError("the disk is full")

            room.audit.note = full
            case = await room.desk.load("home", "s1")
            form = {"number": case.review.number, "shown": case.shown, "text": "fine"}
            answer = await client.post("/slides/home/s1/comment", data=form)
            assert answer.status_code == 503
            assert (await room.desk.load("home", "s1")).entries == []

    run(press())


def test_a_refusal_that_cannot_be_noted_says_that_the_database_is_away(tmp_path):
    async def look():
        async with open_app(tmp_path, "admin") as (room, client):

            def full(*_, **__):
                raise AccountsTroubleError("the disk is full")

            room.audit.note = full
            with capture_logs() as logs:
                answer = await client.get("/api/slides/home/s1")
            assert (answer.status_code, answer.json()["reason"]) == (503, "database-away")
            assert [log["event"] for log in logs] == ["database_away"]

    run(look())
