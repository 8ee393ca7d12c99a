import asyncio
import re

import pytest
import sqlalchemy as sa
from slide_screen import with_room

from cloud.index.tables import fields
from cloud.reviews.entry import Comment, Reclassify
from cloud.slides.narrow import cells_to_narrow
from wire.messages import Quality
from wire.words import RESEARCH_USE_ONLY, SIGNED_NOTICE

SLIDE = "/slides/home/s1"


def attribute(html, name):
    return re.search(rf'{name}="([^"]*)"', html)[1]


def test_the_page_shows_every_cell_in_the_bin_of_its_class(with_slide):
    async def look(here):
        answer = await here.client.get(here.path)
        assert answer.status_code == 200
        bins = answer.text.split('<section class="bin ')[1:]
        assert [attribute(bin_, "data-bin") for bin_ in bins] == [
            "ALL", "AML", "Normal", "unidentified", "excluded",
        ]  # fmt: skip
        assert [bin_.count("data-cell=") for bin_ in bins] == [1, 1, 4, 1, 0]
        assert answer.text.count('loading="lazy"') == 7
        case = await here.case()
        for cell in case.slide.machine:
            field, _, place = cell.rpartition("/")
            assert f'src="/pictures/cell/home/{cell}?v=' in answer.text
            assert f'href="{here.path}/fields/{field}#{place}"' in answer.text

    with_slide(look)


def test_it_is_preliminary_and_for_research_until_somebody_signs(with_slide):
    async def look(here):
        page = await here.page()
        assert RESEARCH_USE_ONLY in page
        assert "preliminary" in page
        assert "diagnosis" not in page
        await here.sign()
        page = await here.page()
        assert SIGNED_NOTICE in page
        assert RESEARCH_USE_ONLY not in page
        assert 'data-mode="signed"' in page

    with_slide(look)


def test_figures_intervals_and_how_many_more_cells_stand_there(with_slide):
    async def look(here):
        page = await here.page()
        assert "of 6 identified" in page
        assert "33.3 %" not in page
        assert "16.7 %" in page  # 1 ALL of 6
        assert "(0–64)" in page  # its exact interval
        more = re.search(r"About <b[^>]*>(\d+)</b> white cells more", page)
        assert int(more[1]) == cells_to_narrow(2, 6)

    with_slide(look)


def test_quality_exclusions_models_remarks_and_reports_stand_there(with_slide):
    async def look(here):
        await here.field(["Normal"], quality=Quality(0.01, 0.7, 0.0, 1.0, 0.4))
        case = await here.case()
        normal = next(cell for cell, label in case.slide.machine.items() if label == "Normal")
        await here.do(Reclassify([normal], "excluded"))
        await here.do(Comment("a smudge & more", [normal]))
        page = await here.page()
        assert "out-of-focus" in page
        assert "The field is out of focus" in page
        assert "excluded by grace: a smudge & more" in page
        assert "acgan 1.0.0" in page
        assert f"{here.path}/report.pdf" in page
        await here.sign()
        page = await here.page()
        assert f"{here.path}/report.pdf?number=" in page
        assert f"{here.path}/report.fhir.json?number=" in page

    with_slide(look)


def test_fields_that_came_after_the_signature_are_told(with_slide):
    async def look(here):
        await here.sign()
        await here.field(["AML"])
        page = await here.page()
        assert "1 field came after the signature and is in no report" in page
        assert "later</span>" in page

    with_slide(look)


def test_whoever_opens_a_signed_slide_has_its_reports_noted_where_they_are_missing(with_slide):
    async def look(here):
        await here.sign()
        kept = []

        async def noted(case):
            kept.append((case.entries[0].slide, len(case.review.reports)))

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(here.room.after, "kept", noted)
            await here.page()
            await asyncio.sleep(0)
        assert kept == [(here.slide, 1)]

    with_slide(look)


def test_a_slide_whose_signed_field_is_missing_in_the_database_is_not_shown(with_slide):
    async def look(here):
        case = await here.sign()
        capture = next(iter(case.slide.results)).rpartition("/")[2]
        with here.room.index.engine.begin() as connection:
            connection.execute(sa.delete(fields).where(fields.c.capture_id == capture))
        for path in (here.path, f"{here.path}/parts"):
            answer = await here.client.get(path)
            assert answer.status_code == 503
            assert "slide-not-shown" in answer.text
            assert f"the signed field scope-1/{capture} is not stored" in answer.text
            assert "leukoscope-cloud reindex" in answer.text

    with_slide(look)


def test_what_a_reader_wrote_is_never_markup(with_slide):
    async def look(here):
        await here.do(Comment("<script>alert(1)</script>"))
        page = (await here.client.get(here.path)).text
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page

    with_slide(look)


def test_a_bin_of_hundreds_comes_in_pages_and_its_count_is_whole(with_slide):
    async def look(here):
        page = await here.page()
        assert page.count("data-cell=") == 200
        assert "200 of 450 are shown" in page
        screen = {"number": 0, "shown": attribute(page, "data-shown")}
        asked = {"bin": "Normal", "after": 200, **screen}
        second = (await here.client.get(f"{here.path}/cells", params=asked)).text
        third = (await here.client.get(f"{here.path}/cells", params=asked | {"after": 400})).text
        found = [re.findall(r'data-cell="([^"]+)"', html) for html in (page, second, third)]
        assert [len(names) for names in found] == [200, 200, 50]
        assert len({name for names in found for name in names}) == 450
        assert 'id="more-Normal" hx-swap-oob="true" data-end="400"' in second
        assert "Show 50 more" in second
        assert "Show" not in third

    with_slide(look, labels=[["Normal"] * 150] * 3)


def test_more_cells_of_a_slide_that_has_moved_are_the_whole_bins_as_they_are_now(with_slide):
    async def look(here):
        page = await here.page()
        case = await here.case()
        await here.do(Reclassify([next(iter(case.slide.machine))], "ALL"))
        screen = {"number": 0, "shown": attribute(page, "data-shown")}
        asked = {"bin": "Normal", "after": 200, "bins": "Normal:200", **screen}
        answer = (await here.client.get(f"{here.path}/cells", params=asked)).text
        assert 'id="place" hidden hx-swap-oob="true" data-number="1"' in answer
        assert 'id="bin-ALL"' in answer

    with_slide(look, labels=[["Normal"] * 150] * 2)


def test_parts_are_only_the_bins_that_the_page_lacks(with_slide):
    async def look(here):
        page = await here.page()
        have = re.findall(r'data-digest="(\w+)"', page)
        assert len(have) == len(set(have)) == 5
        answer = (await here.client.get(f"{here.path}/parts", params={"have": " ".join(have)})).text
        assert '<section class="bin ' not in answer
        case = await here.case()
        await here.do(Reclassify(case.slide.unidentified(case.review), "AML"))
        answer = (await here.client.get(f"{here.path}/parts", params={"have": " ".join(have)})).text
        assert re.findall(r'<section class="bin .*? id="bin-(\w+)"', answer) == [
            "AML", "unidentified",
        ]  # fmt: skip

    with_slide(look)


def test_a_slide_that_is_not_there_is_said_and_noted_nowhere(with_slide):
    async def look(here):
        for path in ("/slides/home/none", "/slides/home/a b", "/api/slides/home/none"):
            answer = await here.client.get(path)
            assert answer.status_code == 404
            assert "slide-unknown" in answer.text
        assert {line.slide for line in here.room.audit.lines()}.isdisjoint({"none", "a b"})

    with_slide(look)


def test_every_look_at_a_slide_is_in_the_audit_log(with_slide):
    async def look(here):
        await here.client.get(here.path)
        await here.client.get(f"/api{here.path}")
        assert here.did() == [("ada", "slide-viewed", "")] * 2

    with_slide(look)


def test_an_admin_opens_no_slide(with_slide):
    async def look(here):
        for path in (here.path, f"{here.path}/parts", f"/api{here.path}"):
            assert (await here.client.get(path)).status_code == 403

    with_slide(look, who="root")


def test_the_slide_as_json_says_what_the_page_says(with_slide):
    async def look(here):
        told = (await here.client.get(f"/api{here.path}")).json()
        assert told["notice"] == RESEARCH_USE_ONLY
        assert told["state"] == "preliminary"
        assert (told["flagged"], told["seen"], told["unidentified_left"]) == (2, 0, 1)
        assert told["bins"]["Normal"] == {"cells": 4, "unseen": 0}
        assert told["machine"]["identified"] == 6
        assert not told["ready"]

    with_slide(look)


def test_reading_goes_on_without_the_store(tmp_path):
    class Away:
        def __getattr__(self, name):
            raise AssertionError(f"the page asked the bucket to {name}")

    async def look(here):
        object.__setattr__(here.room, "objects", Away())
        here.room.desk._objects = here.room.desk._remembered = Away()
        for path in (here.path, f"{here.path}/parts", f"/api{here.path}"):
            assert (await here.client.get(path)).status_code == 200

    with_room(look, tmp_path)


@pytest.mark.parametrize("asked", [{"number": "x"}, {"bin": "blasts", "after": 0}, {"after": -1}])
def test_what_is_not_understood_is_refused_by_name(with_slide, asked):
    async def look(here):
        answer = await here.client.get(
            f"{here.path}/cells", params={"bin": "ALL", "after": 0} | asked
        )
        assert answer.status_code == 422
        assert "request-invalid" in answer.text

    with_slide(
        look,
    )


def test_another_reader_s_page_shows_the_same_slide(with_slide):
    async def look(here):
        case = await here.case()
        await here.do(Reclassify(case.slide.unseen(case.review), "Normal"), "ada")
        async with here.another("grace") as theirs:
            page = theirs.html
        assert 'title="suggested AML"' in page
        assert 'data-undo="0"' in page
        assert 'data-undo="1"' in await here.page()

    with_slide(look)
