"""The page's JSON: typed, the same as the page says, for readers alone."""

from reading_desk import run
from reading_room import case_of, open_app

from cloud.accounts.audit import Wanted
from cloud.page.app import create_app
from cloud.reviews.entry import Reclassify, See
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE


def with_room(look, tmp_path, **options):
    async def opened():
        async with open_app(tmp_path, **options) as (room, client):
            return await look(room, client)

    return run(opened())


def test_who_looked_is_noted(tmp_path):
    async def look(room, client):
        await told_of(client)
        await client.get("/api/slides/home/none")
        await client.get("/api/worklist")
        lines = [line for line in room.audit.lines(Wanted()) if line.did.endswith("-viewed")]
        assert [(line.who, line.did, line.slide) for line in lines] == [
            ("ada", "slide-viewed", "s1"),
            ("ada", "worklist-viewed", ""),
        ]

    with_room(look, tmp_path)


async def told_of(client, slide="s1"):
    answer = await client.get(f"/api/slides/home/{slide}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def named(room, label, *cells):
    case = await room.desk.load("home", "s1")
    action = Reclassify(list(cells), label)
    await room.desk.act("home", "s1", "ada", action, last_seen=case.review.number)
    return await case_of(room)


def test_each_cell_has_the_machine_s_label_and_the_reader_s(tmp_path):
    async def look(room, client):
        before = await told_of(client)
        assert {cell["reader"] for cell in before["cells"]} == {None}
        assert (before["reader"], before["review"], before["number"]) == (None, "open", 0)
        unnamed = next(c["name"] for c in before["cells"] if c["machine"] == "unidentified")
        await named(room, "Normal", unnamed)
        after = await told_of(client)
        cells = {cell["name"]: cell for cell in after["cells"]}
        assert len(cells) == 7
        assert (cells[unnamed]["machine"], cells[unnamed]["reader"]) == ("unidentified", "Normal")
        assert [c["name"] for c in after["cells"] if c["seen"]] == [unnamed]
        assert (after["review"], after["number"]) == ("in review", 1)
        assert after["machine"]["identified"] + 1 == after["reader"]["identified"] == 7
        assert after["bins"]["unidentified"] == {"cells": 0, "unseen": 0}

    with_room(look, tmp_path)


def test_a_cell_lies_where_its_field_has_it_and_the_field_s_picture_is_there(tmp_path):
    async def look(room, client):
        told = await told_of(client)
        case = await case_of(room)
        for cell in told["cells"]:
            result = case.slide.results[cell["field"]]
            at = result.cells[int(cell["name"].rpartition("/")[2])]
            assert cell["box"] == [at.box.x, at.box.y, at.box.w, at.box.h]
            assert (cell["probability"], cell["probabilities"]) == (
                at.probability,
                at.probabilities,
            )
        assert "/pictures/field/{site}/{device}/{capture}" in create_app(room).openapi()["paths"]
        for field in told["fields"]:
            assert field["picture"] == f"/pictures/field/home/{field['name']}"

    with_room(look, tmp_path)


def test_a_signed_slide_says_so_with_its_signatures(tmp_path):
    async def look(room, client):
        case = await room.desk.load("home", "s1")
        flagged = case.slide.unseen(case.review)
        await room.desk.act("home", "s1", "ada", See(flagged), last_seen=0)
        case = await named(room, "Normal", *case.slide.unidentified(case.review))
        assert (await told_of(client))["ready"]
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.sign("home", "s1", "ada", **seen)
        head = (await case_of(room)).review.head
        told = await told_of(client)
        assert (told["state"], told["review"], told["notice"]) == (
            "signed",
            "signed",
            SIGNED_NOTICE,
        )
        (signature,) = told["signatures"]
        assert (signature["reader"], signature["number"], signature["entry_sha256"]) == (
            "ada",
            3,
            head,
        )
        listed = (await client.get("/api/worklist?state=done")).json()
        assert [line["slide"] for line in listed["slides"]] == ["s1"]
        # The list has the machine's counts, also of a slide that is signed.
        assert listed["slides"][0]["notice"] == listed["notice"] == RESEARCH_USE_ONLY
        assert (await client.get("/api/worklist")).json()["slides"] == []

    with_room(look, tmp_path)


def test_the_worklist_filters_as_the_page_does(tmp_path):
    async def look(room, client):
        for query, count in (("?q=s1", 1), ("?q=s2", 0), ("?site=lab", 0), ("?rank=0", 1)):
            assert len((await client.get(f"/api/worklist{query}")).json()["slides"]) == count
        assert (await client.get("/api/worklist?rank=9")).json()["reason"] == "filter-unknown"

    with_room(look, tmp_path)


def test_every_answer_is_typed_in_the_schema(tmp_path):
    async def look(room, client):
        schema = create_app(room).openapi()
        for path, name in (
            ("/api/worklist", "ToldWorklist"),
            ("/api/slides/{site}/{slide}", "ToldSlide"),
        ):
            content = schema["paths"][path]["get"]["responses"]["200"]["content"]
            assert content["application/json"]["schema"] == {"$ref": f"#/components/schemas/{name}"}

    with_room(look, tmp_path)


def test_programs_sign_in_as_people_do_and_an_admin_reads_no_slide(tmp_path, tmp_path_factory):
    async def look(room, client):
        return [(await client.get(path)).status_code for path in PATHS]

    assert with_room(look, tmp_path, role=None) == [401, 401]
    assert with_room(look, tmp_path_factory.mktemp("admin"), role="admin") == [403, 403]


PATHS = ("/api/worklist", "/api/slides/home/s1")
