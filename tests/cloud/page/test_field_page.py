"""A field's page: what it says of the field and of each of its cells, and to whom."""

import asyncio
import json
import re

import msgspec
import pytest
from pictured_slide import read_field
from reading_room import case_of, open_app, put_field, put_reading

from cloud.page.field_view import field_view
from cloud.reviews.entry import Comment, Reclassify, See
from wire.messages import Quality

BLURRED = Quality(0.01, 0.7, 0.0, 1.0, 0.4)
TEXT = "Nucleoli <b>plain</b>"


def visit(tmp_path, look, role="reader", labels=(["ALL", "Normal"], ["unidentified", "AML"])):
    async def run():
        async with open_app(tmp_path, role, labels=labels) as (room, client):
            return await look(room, client)

    return asyncio.run(asyncio.wait_for(run(), 60))


async def fields(room):
    """Addresses of slide s1's fields, in order."""
    return [f"/slides/home/s1/fields/{name}" for name in (await case_of(room)).slide.results]


async def act(room, action, reader="ada"):
    case = await room.desk.load("home", "s1")
    await room.desk.act("home", "s1", reader, action, last_seen=case.review.number)
    return await case_of(room)


def part(html, of):
    """The element of this id, as far as the next of its kind; enough to look for words in."""
    return html[html.index(f'id="{of}"') :].split("</section>")[0]


def words(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_page_shows_the_fields_picture_and_a_box_for_every_cell(tmp_path):
    async def look(room, client):
        result = await put_reading(room, read_field(0, slide="s7"))
        answer = await client.get(f"/slides/home/s7/fields/{result.device}/{result.capture_id}")
        assert answer.status_code == 200
        assert "research use only" in answer.text.lower()
        found = re.search(
            r'data-picture="([^"]+)" data-width="(\d+)" data-height="(\d+)"', answer.text
        )
        picture = await client.get(found[1])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
        assert (int(found[2]), int(found[3])) == (result.width, result.height)
        boxes = re.findall(r'id="box-\d+" data-n="\d+" data-box="([^"]+)"', answer.text)
        assert boxes == [" ".join(map(str, msgspec.to_builtins(c.box))) for c in result.cells]
        for address in re.findall(r'(?:data-map|<img src)="(/pictures/[^"]+)"', answer.text):
            shown = await client.get(address)
            assert shown.status_code == 200
            assert "immutable" in shown.headers["cache-control"]

    visit(tmp_path, look, labels=[])


def test_each_cell_says_class_probabilities_and_whether_it_was_seen(tmp_path):
    async def look(room, client):
        first, second = await fields(room)
        page = (await client.get(first)).text
        cell = (await case_of(room)).slide.results[first.partition("fields/")[2]].cells[0]
        said = words(part(page, "card-0"))
        assert "Suggested pre-classification: ALL preliminary" in said
        for label, chance in cell.probabilities.items():
            assert f"{label} {100 * chance:.1f} %" in said
        assert "Not seen by a reader yet" in said
        assert "seen by a reader" not in words(part(page, "card-1")).lower(), "not flagged"
        assert "diagnosis" not in page.lower()
        assert "unidentified" in words(part((await client.get(second)).text, "card-0"))

    visit(tmp_path, look)


def test_what_a_reader_did_to_a_cell_stands_on_it(tmp_path):
    async def look(room, client):
        first, second = await fields(room)
        cell = f"{first.partition('fields/')[2]}/0"
        await act(room, See([cell]), "grace")
        await act(room, Reclassify([cell], "AML"), "grace")
        await act(room, Comment(TEXT, [cell]), "grace")
        page = (await client.get(first)).text
        said = words(part(page, "card-0"))
        assert "Suggested pre-classification: ALL" in said
        assert "A reader calls it AML ." in said
        assert "Seen by a reader" in said
        assert "Nucleoli &lt;b&gt;plain&lt;/b&gt; grace" in said
        assert "class-aml" in re.search(r'<div class="box ([^"]+)" id="box-0"', page)[1]
        case = await case_of(room)
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.waive("home", "s1", "ada", "Too pale.", **seen)
        await case_of(room)
        assert "It may stay unidentified" in words(part((await client.get(second)).text, "card-0"))

    visit(tmp_path, look)


def test_the_fields_of_a_slide_follow_one_another(tmp_path):
    async def look(room, client):
        first, second, third = await fields(room)
        pages = [(await client.get(path)).text for path in (first, second, third)]
        titles = [re.search(r"<h1>(.*?)</h1>", page)[1] for page in pages]
        assert titles == ["Field 1 of 3", "Field 2 of 3", "Field 3 of 3"]
        before = [re.findall(r'id="before" rel="prev" href="([^"]+)"', page) for page in pages]
        after = [re.findall(r'id="after" rel="next" href="([^"]+)"', page) for page in pages]
        assert before == [[], [first], [second]]
        assert after == [[second], [third], []]

    visit(tmp_path, look, labels=[["ALL"], ["Normal"], ["Normal"]])


@pytest.mark.parametrize(
    ("quality", "sentence"),
    [
        (BLURRED, "The field is out of focus (sharpness 0.01, at least 0.24 is needed)."),
        (Quality(0.8, 0.7, 0.0, 1.0, 0.4), "The station found nothing wrong"),
        (None, "The station measured nothing of this field."),
    ],
)
def test_the_fields_quality_is_said_in_words(tmp_path, quality, sentence):
    async def look(room, client):
        await put_field(room, 5, ["Normal"], quality=quality)
        [path] = await fields(room)
        assert sentence in words((await client.get(path)).text)

    visit(tmp_path, look, labels=[])


def test_no_scale_is_claimed_that_nobody_knows(tmp_path):
    async def look(room, client):
        page = words((await client.get((await fields(room))[0])).text)
        assert "640 × 480 pixels; its scale is not known" in page
        assert "µm" not in page

    visit(tmp_path, look)


def test_a_cell_at_the_edge_says_that_its_picture_is_mirrored_there(tmp_path):
    async def look(room, client):
        result = await put_reading(room, read_field(0, slide="s7"))
        page = await client.get(f"/slides/home/s7/fields/{result.device}/{result.capture_id}")
        mirrored = "beyond it the small picture is mirrored"
        # The first two boxes touch the upper and the right edge, the third none.
        assert [result.cells[n].box.y for n in (0, 1)] == [0, 0]
        told = [mirrored in words(part(page.text, f"card-{n}")) for n in range(3)]
        assert told == [True, True, False]

    visit(tmp_path, look, labels=[])


def test_a_field_without_cells_says_so(tmp_path):
    async def look(room, client):
        await put_field(room, 5, [])
        [path] = await fields(room)
        assert "No white cell was found in this field." in (await client.get(path)).text

    visit(tmp_path, look, labels=[])


def test_a_signed_field_is_only_to_be_read_and_a_later_one_says_that_it_is_in_no_report(tmp_path):
    async def look(room, client):
        case = await room.desk.load("home", "s1")
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.sign("home", "s1", "grace", **seen)
        await put_field(room, 5, ["Normal"])
        await case_of(room)
        first, later = await fields(room)
        page = (await client.get(first)).text
        assert 'data-mode="signed"' in page
        assert "in no report" not in page
        assert "It came after the signature and is in no report: amend it." in words(
            (await client.get(later)).text
        )

    visit(tmp_path, look, labels=[["Normal"]])


def test_a_draft_shows_what_would_be_and_writes_nothing(tmp_path):
    async def look(room, client):
        case = await room.desk.load("home", "s1")
        seen = {"shown": case.shown, "last_seen": case.review.number}
        await room.desk.sign("home", "s1", "grace", **seen)
        await case_of(room)
        [path] = await fields(room)
        cell = f"{path.partition('fields/')[2]}/1"
        draft = json.dumps(
            {"changes": [{"cells": [cell], "label": "AML"}], "seen": [], "waive": ""}
        )
        shown = await client.post(f"{path}/part", data={"draft": draft})
        assert 'data-mode="amend"' in shown.text
        assert "A reader calls it AML ." in words(part(shown.text, "card-1"))
        assert 'data-mode="signed"' in (await client.get(f"{path}/part")).text
        assert (await room.desk.load("home", "s1")).review.number == 1
        refused = await client.post(f"{path}/part", data={"draft": "{"})
        assert refused.status_code == 409
        assert "draft-invalid" in refused.text

    visit(tmp_path, look, labels=[["Normal", "Normal"]])


def test_the_part_follows_what_others_do(tmp_path):
    async def look(room, client):
        path = (await fields(room))[0]
        assert 'data-number="0"' in (await client.get(f"{path}/part")).text
        await act(room, Reclassify([f"{path.partition('fields/')[2]}/1"], "excluded"), "grace")
        now = (await client.get(f"{path}/part")).text
        assert 'data-number="1"' in now
        assert 'data-label="excluded"' in part(now, "card-1")
        assert "<html" not in now

    visit(tmp_path, look)


def test_undo_is_of_ones_own_last_step(tmp_path):
    async def look(room, client):
        path = (await fields(room))[0]
        name = path.partition("fields/")[2]
        case = await act(room, Reclassify([f"{name}/1"], "AML"), "grace")
        assert field_view(case, name, "grace").undo == 1
        assert field_view(case, name, "ada").undo == 0

    visit(tmp_path, look)


def test_what_is_no_field_of_the_slide_is_told_apart_from_what_is_no_slide(tmp_path):
    async def look(room, client):
        path = (await fields(room))[0]
        await put_field(room, 9, ["Normal"], slide="s2")
        nowhere = "01900000-0000-7000-8000-000000000000"
        for asked, status, code in [
            (f"/slides/home/s1/fields/scope-1/{nowhere}", 404, "field-unknown"),
            (path.replace("s1", "s2"), 404, "field-unknown"),
            (path.replace("s1", "s3"), 404, "slide-unknown"),
            ("/slides/home/s1/fields/scope-1/latest", 422, "request-invalid"),
            ("/slides/home/s1/fields/sc..pe/" + nowhere, 422, "request-invalid"),
        ]:
            answer = await client.get(asked)
            assert (asked, answer.status_code) == (asked, status)
            assert code in answer.text

    visit(tmp_path, look)


@pytest.mark.parametrize(("role", "status"), [(None, 303), ("admin", 403), ("lead", 200)])
def test_a_field_is_for_readers(tmp_path, role, status):
    async def look(room, client):
        path = (await fields(room))[0]
        assert (await client.get(path)).status_code == status
        noted = [line.did for line in room.audit.lines()]
        assert ("field-viewed" in noted) == (status == 200)

    visit(tmp_path, look, role)


def test_every_view_is_noted(tmp_path):
    async def look(room, client):
        path = (await fields(room))[0]
        await client.get(path)
        await client.get(f"{path}/part")  # the page asks for it by itself
        [line] = [line for line in room.audit.lines() if line.did == "field-viewed"]
        assert (line.who, line.site, line.slide) == ("ada", "home", "s1")
        assert line.detail == f"field={path.partition('fields/')[2]}"

    visit(tmp_path, look)
