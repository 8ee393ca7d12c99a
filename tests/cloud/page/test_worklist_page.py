import asyncio
import re
from datetime import UTC, datetime, timedelta

import pytest
from reading_desk import run
from reading_room import case_of, client_of, open_app, put_field
from slide_results import field_result

from cloud.accounts.audit import Wanted
from cloud.index.index import SlideKey
from cloud.reviews.entry import See
from wire.words import RESEARCH_USE_ONLY


def tokens(html: str) -> list[str]:
    """Of the slides on the page, in their order."""
    return re.findall(r'class="line-open" href="/slides/[\w-]+/([\w-]+)"', html)


def line(html: str, slide: str) -> str:
    """What the page says of a slide, in words."""
    found = re.search(rf'<li class="line[^>]*id="line-home\.{slide}">(.*?)</li>', html, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Runs what is given the room and its client, in one room for many tests: it opens slowly."""
    with asyncio.Runner() as runner:
        opened = open_app(tmp_path_factory.mktemp("room"))
        room, client = runner.run(opened.__aenter__())
        yield lambda work: runner.run(asyncio.wait_for(work(room, client), 60))
        runner.run(opened.__aexit__(None, None, None))


def on_the_page(tmp_path, work, role="reader", **more):
    async def whole():
        async with open_app(tmp_path, role, **more) as (room, client):
            return await work(room, client)

    return run(whole())


async def some_slides(room):
    """Beside s1, which is suspect: one without blasts, a suspect one that waits longer."""
    await put_field(room, 50, ["Normal"] * 40, slide="calm")
    early = datetime(2026, 1, 4, tzinfo=UTC)
    await put_field(room, 51, ["AML"] * 9 + ["Normal"], slide="early", captured_at=early)
    await put_field(room, 52, ["Normal"] * 30, slide="calm", site="lab-east")


def many(room, name, count, first):
    """Slides NAME-000 and on, only in the projection; `first` numbers their fields."""
    put = [field_result(first + n, ["Normal"] * 30, slide=f"{name}-{n:03}") for n in range(count)]
    room.index.put(put)


def test_a_line_says_what_a_hematologist_asks_first(shared):
    async def seen(room, client):
        captured = datetime.now(UTC) - timedelta(hours=3, minutes=5)
        labels = ["ALL"] * 7 + ["Normal"] * 12 + ["unidentified"]
        await put_field(room, 60, labels, slide="s2", captured_at=captured)
        return (await client.get("/")).text

    html = shared(seen)
    said = line(html, "s2")
    for words in (
        "Blasts suspected", "of home", "waiting for 3 h 05 min", "ALL 7", "AML 0", "Normal 12",
        "unidentified 1", "37 (16–62) suggested blasts per 100", "20 cells in 1 field", "open",
        "preliminary",
    ):  # fmt: skip
        assert words in said
    assert RESEARCH_USE_ONLY in html
    assert "diagnosis" not in html


def test_a_long_token_is_short_in_the_line_and_whole_in_its_title_and_its_copy(shared):
    whole_name = "s0123456789abcdef0123"

    async def seen(room, client):
        await put_field(room, 61, ["ALL"], slide=whole_name)
        return (await client.get("/")).text

    html = shared(seen)
    assert f'title="{whole_name}">s012345678…</code>' in html
    assert f'data-copy="{whole_name}"' in html


def test_a_signed_slide_is_done_until_a_field_comes_and_then_says_so(tmp_path):
    async def seen(room, client):
        for cells in (await case_of(room)).slide.machine:
            await room.desk.act("home", "s1", "ada", See([cells]), last_seen=99)
        case = await case_of(room)
        shown = {"shown": case.shown, "last_seen": case.review.number}
        case = await room.desk.waive("home", "s1", "ada", "Smudged.", **shown)
        shown["last_seen"] = case.review.number
        await room.desk.sign("home", "s1", "ada", **shown)
        await case_of(room)
        waiting, signed = await client.get("/"), await client.get("/?state=signed")
        await put_field(room, 70, ["Normal"])
        return waiting.text, signed.text, (await client.get("/")).text

    waiting, signed, later = on_the_page(tmp_path, seen)
    assert tokens(waiting) == []
    assert "Nothing waits." in waiting
    assert "signed" in line(signed, "s1")
    assert "preliminary" not in line(signed, "s1")
    assert "1 field came after the signature" in line(later, "s1")


def test_it_says_who_has_a_slide_open(shared):
    async def seen(room, client):
        with room.presence.enter(SlideKey("home", "s1"), "grace"):
            there = (await client.get("/")).text
        return there, (await client.get("/")).text

    there, gone = shared(seen)
    assert "grace reads it now" in line(there, "s1")
    assert "grace" not in gone


FILTERS = {
    "?rank=3": {"calm"},
    "?site=lab-east": {"calm"},
    "?q=e": {"early"},
    "?q=E": set(),
    "?state=open": {"early", "s1", "calm"},
    "?state=in-review": set(),
    "?state=all&q=s": {"s1"},
    "?rank=0&site=lab-east": set(),
}


def test_urgent_ones_first_and_filters_leave_out_what_is_not_asked_for(tmp_path):
    async def seen(room, client):
        await some_slides(room)
        return {query: (await client.get(f"/{query}")).text for query in ("", *FILTERS)}

    pages = on_the_page(tmp_path, seen)
    # Suspected blasts first, and among them who waits longest.
    assert tokens(pages.pop("")) == ["early", "s1", "calm", "calm"]
    assert {query: set(tokens(html)) for query, html in pages.items()} == FILTERS
    for query, expected in FILTERS.items():
        assert bool(expected) != ("No slide is like that." in pages[query])
    tiles = re.findall(r'id="rank-(\d)".*?<b>([\d,]+)</b>', pages["?state=open"], re.S)
    assert tiles == [("0", "2"), ("1", "0"), ("2", "0"), ("3", "2")]
    assert '<b class="number">4</b> open' in pages["?state=open"]


def test_pages_follow_one_another_until_every_slide_was_shown_once(shared):
    async def seen(room, client):
        many(room, "many", 120, 100)
        html, shown = (await client.get("/?q=many")).text, []
        while True:
            shown += tokens(html)
            following = re.search(r'id="next-page"[^>]*href="([^"]+)"', html)
            if following is None:
                return shown, html
            html = (await client.get(following[1].replace("&amp;", "&"))).text

    shown, last = shared(seen)
    assert shown == [f"many-{number:03}" for number in range(120)]
    assert 'href="/?q=many">First page' in last


def test_where_no_slide_has_come_it_says_what_to_do(tmp_path):
    async def seen(_, client):
        return (await client.get("/")).text

    html = on_the_page(tmp_path, seen, labels=[])
    assert "No slide has come yet." in html
    assert "leukoscope-cloud reindex" in html


def test_a_filter_that_there_is_not_is_refused_in_words_and_not_repeated(shared):
    async def seen(_, client):
        return await client.get("/?q=%3Cscript%3E"), await client.get("/api/worklist?after=zzz")

    page, told = shared(seen)
    assert (page.status_code, told.status_code) == (422, 422)
    assert "filter-unknown" in page.text
    assert "script&gt;" not in page.text
    assert told.json()["reason"] == "filter-unknown"


def test_an_admin_is_led_to_the_accounts_and_a_stranger_to_the_door(tmp_path):
    async def seen(room, client):
        told = await client.get("/api/worklist")
        async with client_of(room) as stranger:
            return await client.get("/"), told, await stranger.get("/")

    admin, told, stranger = on_the_page(tmp_path, seen, role="admin")
    assert (admin.status_code, admin.headers["location"]) == (303, "/people")
    assert (told.status_code, told.json()["reason"]) == (403, "role-forbids")
    assert (stranger.status_code, stranger.headers["location"]) == (303, "/login")


def test_that_somebody_looked_is_noted(shared):
    async def seen(room, client):
        def looks():
            return [line.who for line in room.audit.lines(Wanted(did="worklist-viewed"))]

        before = looks()
        await client.get("/")
        await client.get("/api/worklist")
        return looks()[len(before) :]

    assert shared(seen) == ["ada", "ada"]


def test_programs_are_told_the_same_with_the_notice_and_the_way_on(shared):
    async def seen(room, client):
        many(room, "told", 60, 300)
        first = (await client.get("/api/worklist?q=told")).json()
        return first, (await client.get(first["next"])).json(), await client.get("/api/worklist")

    first, second, everything = shared(seen)
    assert first["notice"] == RESEARCH_USE_ONLY
    top = next(line for line in everything.json()["slides"] if line["slide"] == "s1")
    assert (top["rank"], top["preliminary"], top["fields"]) == (0, True, 3)
    assert top["counts"] == {"ALL": 1, "AML": 1, "Normal": 4, "unidentified": 1}
    told = [line["slide"] for line in first["slides"] + second["slides"]]
    assert told == [f"told-{number:03}" for number in range(60)]
    assert second["next"] is None
    assert first["states"]["open"] > 60


def test_nothing_of_the_page_is_kept_by_the_browser_or_comes_from_elsewhere(shared):
    async def seen(_, client):
        answer = await client.get("/")
        links = re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text)
        return answer, [(await client.get(link)).status_code for link in links]

    answer, statics = shared(seen)
    assert answer.headers["cache-control"] == "no-store"
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert set(statics) == {200}
    assert not re.search(r'(?:src|href)="(?![/#])', answer.text)
    assert " style=" not in answer.text
