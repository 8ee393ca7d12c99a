"""A field at full size in Chromium: boxes where the cells are, maps, keys, fingers, seeing."""

import asyncio
import io
import time

import msgspec
import numpy as np
import pytest
from browsers import expect, grave, picture, small_targets
from pictured_slide import read_field, smear_field
from PIL import Image
from reading_room import case_of
from slide_results import capture_id

from cloud.index.case import put_case
from cloud.live.news import Change
from cloud.reviews.entry import Reclassify
from imaging.box import Box
from imaging.crop import square_of

SIZES = ("phone", "monitor")
CHOSEN = ".pip[aria-pressed=true]"
FIELDS = {"open": 0, "review": 1, "clear": 2, "signed": 3, "later": 4, "amended": 5}
"""Where the captures of a stage begin, in hundreds; see `stages`."""


def where(served, stage, place=0):
    """Path of a field of the slide at this stage."""
    capture = capture_id(100 * FIELDS[stage] + place)
    return f"/slides/home/{served.slides[stage]}/fields/scope-1/{capture}"


def cell_name(served, stage, n, place=0):
    return f"{where(served, stage, place).partition('fields/')[2]}/{n}"


def boxes_of(place=0):
    cells = read_field(place).result.cells
    return [Box(*msgspec.structs.astuple(cell.box)) for cell in cells]


def opened(page):
    """The picture is there, and every box on it."""
    expect(page.locator("#stage .box").first).to_be_attached()
    eventually(lambda: page.evaluate("document.querySelector('#stage canvas')?.width > 0"))
    return page


def rect(locator):
    box = locator.bounding_box()
    return np.array([box["x"], box["y"], box["width"], box["height"]])


def whole_field(page, result):
    """Left edge, upper edge and scale of the field on the screen, when all of it is shown."""
    x, y, width, height = rect(page.locator("#stage"))
    scale = min(width / result.width, height / result.height)
    left, top = x + (width - scale * result.width) / 2, y + (height - scale * result.height) / 2
    return left, top, scale


def on_screen(page, box):
    left, top, scale = whole_field(page, read_field(0).result)
    return np.array([left + scale * box.x, top + scale * box.y, scale * box.w, scale * box.h])


def chain(served, stage):
    return served.do(served.room.desk.load("home", served.slides[stage]))


def eventually(true, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


@pytest.mark.parametrize("size", SIZES)
def test_boxes_lie_where_the_cells_are_in_the_picture(at, served, size):
    page = opened(at(where(served, "clear"), size))
    page.keyboard.press("0")
    for n, box in enumerate(boxes_of()):
        shown = page.locator(f"#stage .box[data-n='{n}']")
        expect(shown).to_be_visible()
        assert rect(shown) == pytest.approx(on_screen(page, box), abs=2)
    page.keyboard.press("b")
    expect(page.locator("#stage .box").first).to_be_hidden()
    page.wait_for_timeout(300)
    shot = np.asarray(Image.open(io.BytesIO(page.screenshot())).convert("RGB"), float)
    field = np.asarray(Image.open(io.BytesIO(smear_field(0)[0])).convert("RGB"), float)
    for box in boxes_of():
        x, y, width, height = on_screen(page, box)
        there = shot[
            round(y + height / 4) : round(y + 3 * height / 4),
            round(x + width / 4) : round(x + 3 * width / 4),
        ]
        here = field[
            box.y + box.h // 4 : box.y + 3 * box.h // 4, box.x + box.w // 4 : box.x + 3 * box.w // 4
        ]
        assert there.mean(axis=(0, 1)) == pytest.approx(here.mean(axis=(0, 1)), abs=6)


@pytest.mark.parametrize("size", SIZES)
def test_the_address_opens_at_a_cell_and_that_is_seeing_it(at, served, size):
    n = SIZES.index(size) * 2  # cells 0 and 2 of the first field are flagged
    name = cell_name(served, "open", n)
    assert name not in chain(served, "open").review.seen
    page = opened(at(f"{where(served, 'open')}#{n}", size))
    expect(page.locator(f"#card-{n}")).to_be_visible()
    expect(page.locator(CHOSEN)).to_have_count(1)
    assert rect(page.locator(f"#stage .box[data-n='{n}']"))[2:].max() > 96
    expect(page.locator(f"#card-{n}")).to_contain_text("Seen by a reader")
    assert name in chain(served, "open").review.seen
    entries = [entry for entry in chain(served, "open").entries if name in entry.action.cells]
    assert len(entries) == 1
    assert entries[0].reader == "ada"


def test_a_cell_that_is_small_on_the_screen_is_not_seen_by_being_chosen(at, served):
    name = cell_name(served, "review", 0, place=1)
    page = opened(at(where(served, "review", 1), "phone"))
    page.keyboard.press("0")
    box = page.locator("#stage .box[data-n='0']")
    assert rect(box)[2:].max() < 96
    page.touchscreen.tap(*(rect(box)[:2] + rect(box)[2:] / 2))
    expect(page.locator("#card-0")).to_be_visible()
    page.wait_for_timeout(1800)
    assert name not in chain(served, "review").review.seen
    page.locator("#pip-0").tap()  # goes to it
    eventually(lambda: name in chain(served, "review").review.seen)


@pytest.mark.parametrize("size", SIZES)
def test_maps_appear_on_demand_where_the_model_looked(at, served, size):
    page = opened(at(where(served, "clear"), size))
    page.keyboard.press("0")
    heat = page.locator("#stage .heat")
    expect(heat).to_have_count(0)
    expect(page.locator("#legend")).to_be_hidden()
    page.locator("[data-do=maps]").click()
    expect(heat).to_have_count(len(boxes_of()))
    expect(page.locator("#legend")).to_contain_text("says where, not how much")
    every = "[...document.querySelectorAll('#stage .heat')].every((one) => one.naturalWidth == 160)"
    eventually(lambda: page.evaluate(every))
    for n, box in enumerate(boxes_of()):
        assert rect(heat.nth(n)) == pytest.approx(on_screen(page, square_of(box)), abs=2)
    # Nothing is drawn beyond the field's edge: the first cell lies on the upper one.
    assert heat.first.evaluate("it => it.style.clipPath").startswith("inset(")
    page.locator("[data-do=maps]").click()
    expect(heat).to_have_count(0)


def test_the_map_of_one_cell_comes_by_its_key(at, served):
    page = opened(at(f"{where(served, 'clear')}#1", "monitor"))
    before = page.locator("#stage").screenshot()
    page.keyboard.press("h")
    expect(page.locator("#stage .heat")).to_have_count(1)
    expect(page.locator("#card-1 [data-do=map]")).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(500)
    assert page.locator("#stage").screenshot() != before
    page.keyboard.press("ArrowRight")
    expect(page.locator("#card-2 [data-do=map]")).to_have_attribute("aria-pressed", "false")


def test_keys_go_from_cell_to_cell_over_the_ends_of_fields_and_from_field_to_field(at, served):
    page = opened(at(where(served, "clear"), "monitor"))
    expect(page.locator("#at")).to_have_text("No cell is chosen")
    for n in range(len(boxes_of())):
        page.keyboard.press("ArrowRight")
        expect(page.locator("#at")).to_contain_text(f"Cell {n + 1} of {len(boxes_of())}")
    page.keyboard.press("ArrowRight")
    expect(page.locator("h1")).to_have_text("Field 2 of 3")
    expect(page.locator("#at")).to_contain_text("Cell 1 of")
    opened(page).keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text("Field 1 of 3")
    expect(page.locator("#at")).to_contain_text(f"Cell {len(boxes_of())} of")
    for key, title in [("n", "Field 2 of 3"), ("n", "Field 3 of 3"), ("p", "Field 2 of 3")]:
        opened(page).keyboard.press(key)
        expect(page.locator("h1")).to_have_text(title)
    opened(page).keyboard.press("g")
    expect(page).to_have_url(f"{served.address}/slides/home/{served.slides['clear']}")


@pytest.mark.parametrize("size", SIZES)
def test_a_cell_is_called_otherwise_by_key_or_tap_and_that_is_undone(at, served, size):
    n = 1 + 2 * SIZES.index(size)  # cells that nobody flagged
    name = cell_name(served, "review", n, place=1)
    suggested = chain(served, "review").slide.machine[name]
    page = opened(at(f"{where(served, 'review', 1)}#{n}", size))
    call = page.locator(".field-classes [data-label=AML]")
    page.keyboard.press("2") if size == "monitor" else call.tap()
    expect(page.locator(f"#card-{n} h2")).to_contain_text("AML")
    expect(page.locator(f"#stage .box.class-aml[data-n='{n}']")).to_be_attached()
    expect(call).to_have_attribute("aria-pressed", "true")
    assert chain(served, "review").review.labels[name] == "AML"
    page.keyboard.press("u") if size == "monitor" else page.locator("[data-do=undo]").tap()
    expect(page.locator(f"#card-{n} h2")).to_contain_text(suggested)
    assert chain(served, "review").review.labels[name] == suggested


def test_what_another_reader_does_is_shown_and_nobody_writes_over_it_unseen(at, served):
    name = cell_name(served, "review", 0, place=2)
    page = opened(at(f"{where(served, 'review', 2)}#0", "monitor"))

    async def as_grace(label, *, tell):
        desk, slide = served.room.desk, ("home", served.slides["review"])
        case = await desk.load(*slide)
        case = await desk.act(
            *slide, "grace", Reclassify([name], label), last_seen=case.review.number
        )
        if tell:
            await asyncio.to_thread(put_case, served.room.index, case)
            served.room.news.tell(Change(*slide, "review", "grace", case.review.number))

    served.do(as_grace("Normal", tell=True))
    expect(page.locator("#card-0 h2")).to_contain_text("Normal")
    served.do(as_grace("excluded", tell=False))
    page.keyboard.press("2")
    expect(page.locator("#error .error")).to_contain_text("grace")
    expect(page.locator("#card-0 h2")).to_contain_text("excluded")
    assert chain(served, "review").review.labels[name] == "excluded"
    page.keyboard.press("2")  # having seen it
    expect(page.locator("#card-0 h2")).to_contain_text("AML")
    expect(page.locator("#error .error")).to_have_count(0)


def test_an_act_that_waits_for_the_store_is_said_and_told_when_it_is_written(at, served):
    name = cell_name(served, "review", 1, place=2)
    desk, waiting = served.room.desk, served.room.waiting
    patience, act, back = waiting.patience_s, desk.act, asyncio.Event()

    async def slow(*what, **more):
        await back.wait()
        return await act(*what, **more)

    page = opened(at(f"{where(served, 'review', 2)}#1", "monitor"))
    try:
        waiting.patience_s, desk.act = 0.2, slow
        page.keyboard.press("2")
        expect(page.locator("#error .error")).to_contain_text("Your change waits for it")
        assert "Called AML" not in page.locator("#toast").inner_text()
        served.loop.call_soon_threadsafe(back.set)
        expect(page.locator("#toast")).to_contain_text("your change is written")
    finally:
        waiting.patience_s = patience
        del desk.act
    expect(page.locator("#error .error")).to_have_count(0)
    expect(page.locator("#card-1 h2")).to_contain_text("AML")
    assert chain(served, "review").review.labels[name] == "AML"


def test_a_signed_field_is_only_to_be_read_until_an_amendment_is_begun_on_its_slide(at, served):
    field, slide = where(served, "signed"), f"/slides/home/{served.slides['signed']}"
    name = cell_name(served, "signed", 1)
    page = opened(at(f"{field}#1", "monitor"))
    expect(page.locator(".field-classes")).to_be_hidden()
    page.keyboard.press("2")
    expect(page.locator("#toast")).to_contain_text("Signed: only to be read.")
    before = chain(served, "signed").review.number
    page.goto(served.address + slide)
    page.locator("#idle [data-do=begin]").click()
    expect(page.locator("#slide[data-mode=amend]")).to_be_attached()
    page.goto(f"{served.address}{field}#1")
    expect(opened(page).locator(".field-classes")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator("#card-1 h2")).to_contain_text("AML")
    page.keyboard.press("u")
    expect(page.locator("#card-1 h2")).not_to_contain_text("AML")
    page.keyboard.press("1")
    expect(page.locator("#card-1 h2")).to_contain_text("ALL")
    page.locator("#back").click()
    expect(page.locator(f"#bin-ALL [data-cell='{name}']")).to_be_visible()
    assert chain(served, "signed").review.number == before, "a draft is nothing written"


def test_light_changes_the_view_and_nothing_else(at, served):
    asked = []
    page = opened(at(where(served, "clear"), "monitor"))
    page.on("request", lambda one: asked.append(one.url))
    page.locator(".light summary").click()
    page.locator("#brightness").fill("150")
    expect(page.locator("output[for=brightness]")).to_have_text("150 %")
    look = "getComputedStyle(document.querySelector('#stage canvas')).filter"
    assert page.evaluate(look) == "brightness(1.5) contrast(1)"
    page.locator("[data-do=plain]").click()
    assert page.evaluate(look) == "brightness(1) contrast(1)"
    page.keyboard.press("Escape")
    expect(page.locator("#brightness")).to_be_hidden()
    assert asked == []


@pytest.mark.parametrize("size", SIZES)
def test_zoom_goes_in_and_out_and_never_beside_the_field(at, served, size):
    page = opened(at(where(served, "clear"), size))
    box = page.locator("#stage .box[data-n='2']")
    page.locator("[data-do=whole]").click()
    start = rect(box)[2]
    for _ in range(3):
        page.locator("[data-do=closer]").click()
    assert rect(box)[2] == pytest.approx(start * 1.4**3, rel=0.03)
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    left = page.evaluate("document.querySelector('#stage').getBoundingClientRect().left")
    x = rect(box)[0] - boxes_of()[2].x * rect(box)[2] / boxes_of()[2].w
    assert x == pytest.approx(left, abs=3), "the field's edge stops at the stage's"
    page.keyboard.press("-")
    assert rect(box)[2] == pytest.approx(start * 1.4**2, rel=0.03)


@pytest.mark.parametrize("size", SIZES)
def test_from_the_field_back_to_the_same_place_of_the_gallery(at, served, size):
    page = opened(at(f"{where(served, 'clear', 1)}#2", size))
    page.locator("#back").click()
    name = cell_name(served, "clear", 2, place=1)
    cell = page.locator(f"[data-cell='{name}']")
    expect(cell).to_be_in_viewport()
    expect(page).to_have_url(f"{served.url('clear')}#c-{name.replace('/', '.')}")


def test_a_picture_that_does_not_come_is_said_and_the_rest_of_the_page_works(at, served):
    class Away:
        async def get(self, key):
            await asyncio.sleep(3600)

    fetcher = served.room.pictures._fetcher
    objects, fetcher._objects = fetcher._objects, Away()
    served.room.pictures._kept._recent.clear()
    try:
        page = at(f"{where(served, 'amended')}#1", "phone", breaks=True)
        expect(page.locator("#stage-said")).to_contain_text("The store does not answer")
        expect(page.locator("#card-1")).to_contain_text("Suggested pre-classification")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#card-2")).to_be_visible()
    finally:
        fetcher._objects, fetcher._away_until = objects, 0.0
    expect(page.locator("#stage-said")).to_be_hidden(timeout=20_000)
    expect(page.locator("#stage .box").first).to_be_visible()


def test_a_map_whose_model_is_gone_is_said(at, served):
    result = msgspec.structs.replace(
        served.do(case_of(served.room, served.slides["clear"])).slide.results[
            where(served, "clear").partition("fields/")[2]
        ],
        slide="s-old",
        device="scope-9",
        model=msgspec.structs.replace(read_field(0).result.model, version="0.0.9", sha256="9" * 64),
    )
    served.room.index.put([result])
    page = at(f"/slides/home/s-old/fields/scope-9/{result.capture_id}#0", "monitor", breaks=True)
    opened(page).keyboard.press("h")
    expect(page.locator("#toast")).to_contain_text("0.0.9) is neither on this machine")
    expect(page.locator("#stage .heat")).to_have_count(0)
    expect(page.locator("#card-0 [data-do=map]")).to_have_attribute("aria-pressed", "false")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_for_everybody(at, served, size, scheme):
    page = opened(at(f"{where(served, 'clear', 1)}#1", size, scheme))
    page.keyboard.press("h")
    expect(page.locator("#legend")).to_be_visible()
    page.locator(".light summary").click()
    assert grave(page) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("size", SIZES)
def test_screenshots(at, served, size):
    page = opened(at(f"{where(served, 'open', 1)}#2", size))
    page.keyboard.press("0") if size == "monitor" else None
    page.keyboard.press("h")
    expect(page.locator("#stage .heat")).to_have_count(1)
    eventually(lambda: page.evaluate("document.querySelector('#stage .heat').complete"))
    expect(page.locator("#legend")).to_be_visible()
    picture(page, f"field-{size}", of="reading")
