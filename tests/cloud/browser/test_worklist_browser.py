"""The worklist in Chromium: live without being in the way, by finger and by keyboard."""

import random
import re
import time
from datetime import UTC, datetime, timedelta

import pytest
from browsers import covered, expect, grave, picture, small_targets
from reading_room import served_room
from slide_results import field_result

from cloud.index.index import SlideKey
from cloud.index.worklist import totals
from cloud.live.news import Change

SIZES = ("phone", "monitor")
LINES = ".line"


@pytest.fixture(scope="module")
def long(tmp_path_factory):
    """A room of two sites with two dozen slides more than the stages, some of each urgency."""
    with served_room(tmp_path_factory.mktemp("long"), site=None) as room:
        draw = random.Random(8)
        for number in range(24):
            laid_down(room, draw, 1000 + 20 * number, SHARES[number % len(SHARES)])
        yield room


SHARES = (0, 0.4, 0, 0.06, 0, 0.03, 0, 0.8, 0, 0.1, 0, 0)
"""Of the white cells that are suspected blasts."""


def laid_down(room, draw, number, share):
    """A slide of several fields, as an afternoon leaves them."""
    slide, site = f"s{draw.randbytes(10).hex()}", draw.choice(["home", "lab-east"])
    began = datetime.now(UTC) - timedelta(minutes=draw.randrange(8, 500))
    fields = draw.randrange(12, 19)
    for n in range(fields):
        labels = draw.choices(
            ["ALL", "AML", "Normal", "unidentified"], [share, share / 5, 1 - share, 0.05], k=12
        )
        taken = {"site": site, "captured_at": began + timedelta(seconds=20 * n)}
        room.room.index.put([field_result(number + n, labels, slide=slide, **taken)])


def come(room, number, slide, labels, **changes):
    """A field comes, as by the feeder."""
    changes = {"captured_at": datetime.now(UTC)} | changes
    room.room.index.put([field_result(number, labels, slide=slide, **changes)])
    room.room.news.tell(Change("home", slide, "fields"))


def line(page, slide):
    return page.locator(f"[id='line-home.{slide}']")


def tokens(page):
    return [
        one.removeprefix("line-home.")
        for one in page.locator(LINES).evaluate_all("all => all.map(one => one.id)")
    ]


def focused(page):
    return page.evaluate(
        "document.activeElement.closest('.line')?.id.split('.')[1] ?? document.activeElement.id"
    )


def top(page, slide):
    return line(page, slide).evaluate("it => it.getBoundingClientRect().top")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_well_made_at_every_size_in_light_and_dark(at, long, size, scheme):
    page = at(size=size, scheme=scheme, room=long)
    with long.room.presence.enter(SlideKey("home", long.slides["review"]), "grace"):
        expect(line(page, long.slides["review"])).to_contain_text("grace reads it now")
        expect(page.locator(LINES)).to_have_count(waiting(long))
        if scheme == "light":
            picture(page, size, of="reading-worklist")
    assert grave(page) == []
    assert small_targets(page) == []
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


def waiting(room):
    return sum(totals(room.room.index).undone.values())


@pytest.mark.parametrize("size", SIZES)
def test_a_case_is_open_after_one_tap_wherever_its_card_is_touched(at, served, size):
    page = at(size=size)
    card = line(page, served.slides["open"])
    assert covered(card) == []
    box = card.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 20, box["y"] + box["height"] - 8)
    page.wait_for_url(f"**/slides/home/{served.slides['open']}")


def test_a_new_slide_appears_at_its_place_and_one_that_is_done_goes(at, served):
    page = at()
    before = tokens(page)
    come(served, 2000, "just-come", ["ALL"] * 30, captured_at=datetime(2020, 1, 1, tzinfo=UTC))
    expect(page.locator(LINES).first).to_have_attribute("id", "line-home.just-come")
    assert tokens(page) == ["just-come", *before]
    expect(page.locator("#said")).to_have_text("One slide has come.")


def test_what_comes_takes_neither_the_focus_nor_the_place_of_whoever_reads(at, long):
    page = at(room=long)
    reading = tokens(page)[14]
    line(page, reading).locator(".line-open").focus()
    line(page, reading).scroll_into_view_if_needed()
    stood = top(page, reading)
    for number in range(3):
        come(
            long,
            3000 + number,
            f"above-{number}",
            ["ALL"] * 40,
            captured_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
    expect(line(page, "above-2")).to_have_count(1)
    assert focused(page) == reading
    assert abs(top(page, reading) - stood) < 2


def test_without_a_focus_the_first_line_in_view_stays_where_it_is(at, long):
    page = at(size="monitor", room=long)
    page.mouse.wheel(0, 900)
    page.wait_for_function("scrollY > 800")
    seen = page.evaluate(
        "() => { const head = document.querySelector('.head').getBoundingClientRect().bottom;"
        "return [...document.querySelectorAll('.line')]"
        ".find(one => one.getBoundingClientRect().bottom > head).id.split('.')[1] }"
    )
    stood = top(page, seen)
    come(long, 3100, "above-too", ["ALL"] * 40, captured_at=datetime(2020, 1, 1, tzinfo=UTC))
    expect(line(page, "above-too")).to_have_count(1)
    assert abs(top(page, seen) - stood) < 2


def test_a_search_being_typed_outlives_what_comes(at, served):
    page = at()
    page.keyboard.press("/")
    page.keyboard.type("just")
    come(served, 2100, "while-typing", ["ALL"] * 30)
    expect(line(page, "while-typing")).to_have_count(1)
    expect(page.locator("#search")).to_be_focused()
    expect(page.locator("#search")).to_have_value("just")


def test_the_list_is_walked_and_a_slide_opened_by_keyboard(at, served):
    page = at(size="monitor")
    all_ = tokens(page)
    page.keyboard.press("j")
    assert focused(page) == all_[0]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert focused(page) == all_[1]
    page.keyboard.press("ArrowUp")
    page.keyboard.press("k")
    assert focused(page) == all_[0]
    ring = line(page, all_[0]).evaluate("it => getComputedStyle(it).outlineWidth")
    assert ring == "3px"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/slides/home/{all_[0]}")


def test_search_and_filters_need_no_pointer(at, served):
    page = at(size="monitor")
    wanted = served.slides["review"]
    page.keyboard.press("/")
    page.keyboard.type(wanted[:6])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/?q={wanted[:6]}")
    assert tokens(page) == [wanted]
    expect(page.locator("#search")).to_have_value(wanted[:6])
    page.get_by_role("link", name="Signed", exact=True).click()
    expect(page.get_by_text("No slide is like that.")).to_be_visible()
    page.get_by_role("link", name="Take the filter away").click()
    expect(line(page, wanted)).to_be_visible()


def test_the_keys_are_told_in_a_dialog_and_the_focus_comes_back(at, served):
    page = at(size="monitor")
    page.keyboard.press("j")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_contain_text("search for a token")
    expect(dialog).to_contain_text("closes a dialog")
    assert grave(page) == []
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert focused(page) == tokens(page)[0]


def test_a_token_is_copied_whole(at, served):
    page = at(size="monitor")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    wanted = served.slides["open"]
    line(page, wanted).get_by_role("button", name="Copy").click()
    expect(page.locator("#toast")).to_have_text("Token copied.")
    assert page.evaluate("navigator.clipboard.readText()") == wanted
    assert page.url.endswith("/")


def test_the_account_s_menu_says_who_is_signed_in_and_signs_out(at, served):
    page = at()
    page.locator(".menu > summary").click()
    menu = page.locator(".menu-list")
    expect(menu).to_contain_text("Signed in as ada, reader")
    assert grave(page) == []
    assert small_targets(page) == []
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    page.locator(".menu > summary").click()
    menu.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/login")


def test_before_everything_stands_a_way_to_skip_to_the_page(at, served):
    page = at()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")


def test_whose_session_ends_is_led_to_the_door(at, served):
    page = at(who="lise")
    expect(page.locator(LINES).first).to_be_visible()
    cookie = next(one for one in page.context.cookies() if "leukoscope" in one["name"])
    served.room.sessions.leave(served.room.sessions.of_cookie(cookie["value"]))
    come(served, 2200, "behind-the-door", ["ALL"] * 30)
    page.wait_for_url("**/login")


def test_a_room_that_falls_silent_is_said_and_that_it_is_back(at, browser, tmp_path):
    with served_room(tmp_path, stages=False) as short:
        page = at(room=short, breaks=True)
        expect(page.get_by_text("No slide has come yet.")).to_be_visible()
        expect(page.locator(".live-word")).to_have_text(re.compile("Live"))
    expect(page.locator("#stream")).to_contain_text("Not live.")
    expect(page.locator(".live-word .when-old")).to_be_visible()
    assert grave(page) == []


def test_the_list_is_rendered_at_most_once_a_second(at, served):
    page = at()
    page.evaluate(
        "() => { window.renderings = 0; document.addEventListener('htmx:sseBeforeMessage',"
        " event => { if (event.detail.type === 'part-lines') window.renderings += 1 }) }"
    )
    begun = time.monotonic()
    for number in range(30):
        come(served, 4000 + number, f"flood-{number:02}", ["ALL"] * 20)
        time.sleep(0.05)
    expect(line(page, "flood-29")).to_have_count(1)
    assert page.evaluate("window.renderings") <= time.monotonic() - begun + 2
