import re
from html import unescape

import pytest
from reading_desk import LABELS, run
from reading_room import case_of, client_of, open_app, put_field

from cloud.reviews.entry import Comment, Reclassify, See
from cloud.slides.narrow import cells_to_narrow
from wire.messages import Quality
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE

SLIDE = "/slides/home/s1"


def with_room(work, tmp_path, **settings):
    async def opened():
        async with open_app(tmp_path, **settings) as (room, client):
            await work(room, client)

    run(opened())


async def do(room, action, reader="grace"):
    number = (await room.desk.load("home", "s1")).review.number
    await room.desk.act("home", "s1", reader, action, last_seen=number)
    return await case_of(room)


async def signed(room, reader="grace"):
    case = await room.desk.load("home", "s1")
    await do(room, See(case.slide.unseen(case.review)), reader)
    seen = {"shown": case.shown, "last_seen": 1}
    case = await room.desk.waive("home", "s1", reader, "too pale", **seen)
    await room.desk.sign("home", "s1", reader, shown=case.shown, last_seen=2)
    return await case_of(room)


async def text_of(client, path=SLIDE):
    """A page as people read it."""
    answer = await client.get(path)
    assert answer.status_code == 200
    return unescape(answer.text)


def noted(room):
    """Lines of the audit log about slides."""
    return [
        (line.who, line.did, line.site, line.slide) for line in room.audit.lines() if line.slide
    ]


def attribute(html, name):
    return re.search(rf'{name}="([^"]*)"', html)[1]


def test_the_page_shows_every_cell_in_the_bin_of_its_class(tmp_path):
    async def look(room, client):
        answer = await client.get(SLIDE)
        assert answer.status_code == 200
        bins = answer.text.split('<section class="bin ')[1:]
        assert [attribute(bin_, "data-bin") for bin_ in bins] == [
            "ALL", "AML", "Normal", "unidentified", "excluded",
        ]  # fmt: skip
        assert [bin_.count("data-cell=") for bin_ in bins] == [1, 1, 4, 1, 0]
        assert answer.text.count('loading="lazy"') == 7
        case = await case_of(room)
        for cell in case.slide.machine:
            field, _, place = cell.rpartition("/")
            assert f'src="/pictures/cell/home/{cell}"' in answer.text
            assert f'href="{SLIDE}/fields/{field}#{place}"' in answer.text

    with_room(look, tmp_path)


def test_it_is_preliminary_and_for_research_until_somebody_signs(tmp_path):
    async def look(room, client):
        page = await text_of(client)
        assert RESEARCH_USE_ONLY in page
        assert "preliminary" in page
        assert "diagnosis" not in page
        await signed(room)
        page = await text_of(client)
        assert SIGNED_NOTICE in page
        assert RESEARCH_USE_ONLY not in page
        assert 'data-mode="signed"' in page

    with_room(look, tmp_path)


def test_figures_intervals_and_how_many_more_cells_stand_there(tmp_path):
    async def look(room, client):
        page = (await client.get(SLIDE)).text
        assert "of 6 identified" in page
        assert "33.3 %" not in page
        assert "16.7 %" in page  # 1 ALL of 6
        assert "(0–64)" in page  # its exact interval
        more = re.search(r"About <b[^>]*>(\d+)</b> white cells more", page)
        assert int(more[1]) == cells_to_narrow(2, 6)

    with_room(look, tmp_path)


def test_quality_exclusions_models_remarks_and_reports_stand_there(tmp_path):
    async def look(room, client):
        await put_field(room, 7, ["Normal"], quality=Quality(0.01, 0.7, 0.0, 1.0, 0.4))
        case = await case_of(room)
        normal = next(cell for cell, label in case.slide.machine.items() if label == "Normal")
        await do(room, Reclassify([normal], "excluded"))
        await do(room, Comment("a smudge & more", [normal]))
        page = (await client.get(SLIDE)).text
        assert "out-of-focus" in page
        assert "The field is out of focus" in page
        assert "excluded by grace: a smudge &amp; more" in page
        assert "acgan 1.0.0" in page
        assert f"{SLIDE}/report.pdf" in page
        await signed_as_it_is(room)
        page = (await client.get(SLIDE)).text
        assert f"{SLIDE}/report.pdf?number=" in page
        assert f"{SLIDE}/report.fhir.json?number=" in page

    async def signed_as_it_is(room):
        case = await room.desk.load("home", "s1")
        await do(room, See(case.slide.unseen(case.review)))
        case = await room.desk.load("home", "s1")
        seen = {"shown": case.shown, "last_seen": case.review.number}
        case = await room.desk.waive("home", "s1", "grace", "pale", **seen)
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.sign("home", "s1", "grace", **seen)
        await case_of(room)

    with_room(look, tmp_path)


def test_fields_that_came_after_the_signature_are_told(tmp_path):
    async def look(room, client):
        await signed(room)
        await put_field(room, 9, ["AML"])
        page = (await client.get(SLIDE)).text
        assert "1 field came after the signature and is in no report" in page
        assert "later</span>" in page

    with_room(look, tmp_path)


def test_what_a_reader_wrote_is_never_markup(tmp_path):
    async def look(room, client):
        await do(room, Comment("<script>alert(1)</script>"))
        page = (await client.get(SLIDE)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page

    with_room(look, tmp_path)


def test_a_bin_of_hundreds_comes_in_pages_and_its_count_is_whole(tmp_path):
    async def look(room, client):
        page = (await client.get(SLIDE)).text
        assert page.count("data-cell=") == 200
        assert "200 of 450 are shown" in page
        screen = {"number": 0, "shown": attribute(page, "data-shown")}
        asked = {"bin": "Normal", "after": 200, **screen}
        second = (await client.get(f"{SLIDE}/cells", params=asked)).text
        third = (await client.get(f"{SLIDE}/cells", params=asked | {"after": 400})).text
        found = [re.findall(r'data-cell="([^"]+)"', html) for html in (page, second, third)]
        assert [len(names) for names in found] == [200, 200, 50]
        assert len({name for names in found for name in names}) == 450
        assert 'id="more-Normal" hx-swap-oob="true" data-end="400"' in second
        assert "Show 50 more" in second
        assert "Show" not in third

    with_room(look, tmp_path, labels=[["Normal"] * 150] * 3)


def test_more_cells_of_a_slide_that_has_moved_are_the_whole_bins_as_they_are_now(tmp_path):
    async def look(room, client):
        page = (await client.get(SLIDE)).text
        case = await case_of(room)
        await do(room, Reclassify([next(iter(case.slide.machine))], "ALL"))
        screen = {"number": 0, "shown": attribute(page, "data-shown")}
        asked = {"bin": "Normal", "after": 200, "bins": "Normal:200", **screen}
        answer = (await client.get(f"{SLIDE}/cells", params=asked)).text
        assert 'id="place" hidden hx-swap-oob="true" data-number="1"' in answer
        assert 'id="bin-ALL"' in answer

    with_room(look, tmp_path, labels=[["Normal"] * 150] * 2)


def test_parts_are_only_the_bins_that_the_page_lacks(tmp_path):
    async def look(room, client):
        page = (await client.get(SLIDE)).text
        have = re.findall(r'data-digest="(\w+)"', page)
        assert len(have) == len(set(have)) == 5
        answer = (await client.get(f"{SLIDE}/parts", params={"have": " ".join(have)})).text
        assert '<section class="bin ' not in answer
        case = await case_of(room)
        await do(room, Reclassify(case.slide.unidentified(case.review), "AML"))
        answer = (await client.get(f"{SLIDE}/parts", params={"have": " ".join(have)})).text
        assert re.findall(r'<section class="bin .*? id="bin-(\w+)"', answer) == [
            "AML", "unidentified",
        ]  # fmt: skip

    with_room(look, tmp_path)


def test_a_slide_that_is_not_there_is_said_and_noted_nowhere(tmp_path):
    async def look(room, client):
        for path in ("/slides/home/s2", "/slides/home/a b", "/api/slides/home/s2"):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert "slide-unknown" in answer.text
        assert noted(room) == []

    with_room(look, tmp_path)


def test_every_look_at_a_slide_is_in_the_audit_log(tmp_path):
    async def look(room, client):
        await client.get(SLIDE)
        await client.get("/api/slides/home/s1")
        assert noted(room) == [("ada", "slide-viewed", "home", "s1")] * 2

    with_room(look, tmp_path)


def test_an_admin_opens_no_slide(tmp_path):
    async def look(room, client):
        for path in (SLIDE, f"{SLIDE}/parts", "/api/slides/home/s1"):
            assert (await client.get(path)).status_code == 403

    with_room(look, tmp_path, role="admin")


def test_the_slide_as_json_says_what_the_page_says(tmp_path):
    async def look(room, client):
        told = (await client.get("/api/slides/home/s1")).json()
        assert told["notice"] == RESEARCH_USE_ONLY
        assert told["state"] == "preliminary"
        assert (told["flagged"], told["seen"], told["unidentified_left"]) == (2, 0, 1)
        assert told["bins"]["Normal"] == {"cells": 4, "unseen": 0}
        assert told["machine"]["identified"] == 6
        assert not told["ready"]

    with_room(look, tmp_path)


def test_reading_goes_on_without_the_store(tmp_path):
    class Away:
        def __getattr__(self, name):
            raise AssertionError(f"the page asked the bucket to {name}")

    async def look(room, client):
        object.__setattr__(room, "objects", Away())
        room.desk._objects = room.desk._remembered = Away()
        for path in (SLIDE, f"{SLIDE}/parts", "/api/slides/home/s1"):
            assert (await client.get(path)).status_code == 200

    with_room(look, tmp_path)


@pytest.mark.parametrize("asked", [{"number": "x"}, {"bin": "blasts", "after": 0}, {"after": -1}])
def test_what_is_not_understood_is_refused_by_name(tmp_path, asked):
    async def look(room, client):
        answer = await client.get(f"{SLIDE}/cells", params={"bin": "ALL", "after": 0} | asked)
        assert answer.status_code == 422
        assert "request-invalid" in answer.text

    with_room(look, tmp_path, labels=LABELS)


def test_another_reader_s_page_shows_the_same_slide(tmp_path):
    async def look(room, client):
        case = await case_of(room)
        await do(room, Reclassify(case.slide.unseen(case.review), "Normal"), "ada")
        async with client_of(room, "grace") as other:
            page = (await other.get(SLIDE)).text
        assert 'title="suggested AML"' in page
        assert 'data-undo="0"' in page
        assert 'data-undo="1"' in (await client.get(SLIDE)).text

    with_room(look, tmp_path)
