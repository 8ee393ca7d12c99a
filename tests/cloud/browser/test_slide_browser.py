"""A slide is read to its signature, on a phone and on a monitor."""

import re
import time

import pytest
from browsers import expect, grave, picture, small_targets
from reading_room import put_field
from slide_browser import Shown, bin_of, counts, loaded, picks, scroll_through

from cloud.live.news import Change
from cloud.pictures.problem import PictureError

SIZES = ["phone", "monitor"]


@pytest.fixture
def slide(served):
    return Shown(served)


@pytest.mark.parametrize("size", SIZES)
def test_a_slide_is_read_commented_waived_signed_and_amended(at, slide, size):
    page = at(slide.path, size)
    loaded(page)
    counts(page, 6, 1, 5, 2, 0)
    expect(page.locator("#sign [data-do=sign]")).to_have_count(0)
    scroll_through(page)
    page.locator("#idle [data-do=comment]").click()
    page.get_by_label("Comment at most").fill("Nucleoli in most of them.")
    page.get_by_role("button", name="Keep the comment").click()
    expect(page.locator("#rest")).to_contain_text("Nucleoli in most of them.")
    page.get_by_text("Waive the unidentified …").click()
    page.get_by_label("Why they may stay so").fill("too pale to name")
    page.get_by_role("button", name="Waive 2").click()
    expect(page.locator("#sign")).to_contain_text("the unidentified are waived")
    page.locator("#idle [data-do=sign]").click()
    dialog = page.get_by_role("dialog", name="Sign the report")
    expect(dialog).to_contain_text("ada answers for these figures")
    assert dialog.locator("dd").all_inner_texts()[1:] == ["6", "1", "5", "2", "0", "3"]
    dialog.get_by_role("button", name="Sign now").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    expect(page.locator(".ruo")).to_contain_text("A reader's counts")
    assert [one.reader for one in slide.case().review.reports] == ["ada"]

    picks(page, "Normal").first.click()
    page.get_by_role("button", name="Signed: amend to change").click()
    page.keyboard.press("2")
    counts(page, 6, 2, 4, 2, 0)
    expect(page.locator("#sign")).to_contain_text("1 cell → AML")
    page.locator("#sign [data-do=sign]").click()
    dialog = page.get_by_role("dialog", name="Sign the amendment")
    dialog.get_by_role("button", name="Sign now").click()
    expect(dialog).to_be_visible()  # it wants a reason
    dialog.get_by_label("Why the report is amended").fill("Seen again at higher power.")
    dialog.get_by_role("button", name="Sign now").click()
    expect(page.locator("#slide-head")).to_contain_text("amended")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    expect(page.locator("#rest .reports > li")).to_have_count(2)
    case = slide.case()
    assert [one.reason for one in case.review.reports] == ["", "Seen again at higher power."]
    assert case.review.reports[-1].report.reader["AML"] == 2


def test_on_a_phone_it_is_two_taps_to_the_slide_at_most_and_four_to_the_signature(at, served):
    slide = Shown(served, "signed")  # its machine's labels: nothing is unidentified
    page = at("/?state=all", "phone")
    taps = []

    def tap(thing):
        taps.append(thing)
        thing.tap()

    tap(page.locator(f".line-open[href='{slide.path}']"))
    loaded(page)
    assert len(taps) <= 2
    scroll_through(page)
    tap(page.locator("#idle [data-do=sign]"))
    tap(page.get_by_role("button", name="Sign now"))
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    assert len(taps) <= 4
    assert slide.case().review.state == "signed"


def test_cells_are_called_by_keys_one_behind_the_other_and_undone(at, slide):
    page = at(slide.path, "monitor")
    loaded(page)
    picks(page, "unidentified").first.focus()
    page.keyboard.press("2")
    counts(page, 6, 2, 5, 1, 0)
    expect(picks(page, "unidentified").first).to_be_focused()  # the next one
    page.keyboard.press("x")
    counts(page, 6, 2, 5, 0, 1)
    expect(page.locator("#differential")).to_contain_text("of 13 identified")
    moved = bin_of(page, "AML").locator(".cell-from")
    expect(moved).to_have_attribute("title", "suggested unidentified")
    page.keyboard.press("u")
    counts(page, 6, 2, 5, 1, 0)
    page.keyboard.press("u")
    counts(page, 6, 1, 5, 2, 0)
    page.keyboard.press("u")
    expect(page.locator("#toast")).to_contain_text("There is no step of yours to undo")
    assert slide.case().review.number == 4


def test_arrows_shift_a_and_escape_select_without_a_mouse(at, slide):
    page = at(slide.path, "monitor")
    loaded(page)
    picks(page, "ALL").first.focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen-count")).to_have_text("1")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#chosen-count")).to_have_text("3")
    page.keyboard.press("ArrowDown")
    expect(picks(page, "AML").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#chosen")).to_be_hidden()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("a")
    expect(page.locator("#chosen-count")).to_have_text("5")
    page.keyboard.press("1")
    counts(page, 11, 1, 0, 2, 0)
    expect(page.locator("#said")).to_have_text("5 cells are called ALL.")


@pytest.mark.parametrize("size", SIZES)
def test_a_named_cell_says_where_it_came_from(at, slide, size):
    slide.look()
    page = at(slide.path, size)
    loaded(page)
    picks(page, "Normal").first.click()
    page.keyboard.press("1")
    moved = bin_of(page, "ALL").locator(".cell-from")
    expect(moved).to_have_attribute("title", "suggested Normal")
    picks(page, "ALL").nth(1).click()
    picks(page, "ALL").nth(2).click()
    page.evaluate("scrollTo(0, 0)")
    picture(page, size, of="reading-slide")


def test_a_slide_is_signed_by_keyboard_alone_and_the_focus_is_never_lost(at, served):
    slide = Shown(served, "later")  # its machine's labels: AML, and nothing unidentified
    page = at(slide.path, "monitor")
    loaded(page)
    while page.locator(".cell.is-unseen").count():
        page.keyboard.press("n")
        expect(page.locator(":focus")).to_have_class(re.compile("pick"))
        page.keyboard.press("2")  # calling it so is seeing it
        page.wait_for_timeout(300)
    page.locator("#idle [data-do=sign]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign now")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    expect(page.locator("#sign-title")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#sign [data-do=begin]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "amend")
    expect(page.locator("#sign-title")).to_be_focused()
    assert slide.case().review.state == "signed"


def test_cells_are_dragged_onto_a_bin_or_onto_its_name(at, slide):
    page = at(slide.path, "monitor")
    loaded(page)
    cells = bin_of(page, "ALL").locator(".cell")
    picks(page, "ALL").nth(0).click()
    picks(page, "ALL").nth(1).click()
    cells.nth(0).drag_to(page.locator("#bin-nav [data-bin=excluded]"))
    counts(page, 4, 1, 5, 2, 2)  # both that were selected
    cells.nth(0).drag_to(bin_of(page, "AML"))
    counts(page, 3, 2, 5, 2, 2)  # the one that was taken
    page.locator("#idle [data-do=undo]").click()
    counts(page, 4, 1, 5, 2, 2)


def test_cells_are_called_by_taps(at, slide):
    page = at(slide.path, "phone")
    loaded(page)
    picks(page, "ALL").nth(0).tap()
    picks(page, "ALL").nth(2).tap()
    expect(page.locator("#chosen")).to_contain_text("2 selected")
    page.get_by_role("button", name="AML", exact=True).tap()
    counts(page, 4, 3, 5, 2, 0)
    expect(page.locator("#chosen")).to_be_hidden()


def test_a_cell_is_seen_only_once_its_picture_is_there_and_was_looked_at(at, slide, served):
    async def gone(*_):
        raise PictureError("picture-gone", "The picture is not stored any more.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(served.room.pictures, "show", gone)
        page = at(slide.path, "phone")
        expect(page.locator(".cell.is-lost").first).to_be_visible()
        page.wait_for_timeout(3500)
        assert slide.case().review.seen == set()
    page.reload()
    loaded(page)
    expect(page.locator("#progress")).to_contain_text(re.compile("[1-6] of 7"))
    page.wait_for_timeout(4500)
    seen = slide.case().review.seen  # those below are not in view
    left = page.locator(".cell.is-unseen").evaluate_all("(all) => all.map((it) => it.dataset.cell)")
    assert seen.isdisjoint(left)
    assert (len(seen), len(left)) == (6, 1)


def test_what_was_seen_is_kept_also_by_whoever_leaves_at_once(at, slide):
    page = at(slide.path, "phone")
    loaded(page)
    bin_of(page, "AML").locator(".open").click()  # its field: opened is seen
    page.wait_for_url(re.compile("/fields/"))
    aml = next(cell for cell, label in slide.case().slide.machine.items() if label == "AML")
    for _ in range(50):
        if aml in slide.case().review.seen:
            break
        page.wait_for_timeout(100)
    assert aml in slide.case().review.seen


def test_two_readers_see_each_other_and_neither_loses_anything(at, slide):
    slide.look()
    mine, hers = at(slide.path, "monitor"), at(slide.path, "monitor", who="grace")
    loaded(mine)
    loaded(hers)
    expect(mine.locator("#readers")).to_have_text("grace is reading this slide, too.")
    expect(hers.locator("#readers")).to_have_text("ada is reading this slide, too.")
    picks(mine, "Normal").nth(0).click()
    picks(mine, "Normal").nth(1).click()
    picks(hers, "unidentified").first.click()
    hers.keyboard.press("2")
    counts(mine, 6, 2, 5, 1, 0)  # by itself
    expect(mine.locator("#chosen")).to_contain_text("2 selected")
    mine.keyboard.press("1")
    counts(hers, 8, 2, 3, 1, 0)
    hers.context.close()
    expect(mine.locator("#readers")).to_be_empty()
    assert {entry.reader for entry in slide.case().entries} == {"ada", "grace"}


def test_a_field_that_comes_meanwhile_is_shown_and_nothing_selected_is_lost(at, slide, served):
    page = at(slide.path, "monitor")
    loaded(page)
    picks(page, "ALL").first.click()
    slide.field()
    served.room.news.tell(Change("home", slide.token, "fields"))
    expect(page.locator("#slide-head")).to_contain_text("in 4 fields")
    expect(page.locator("#chosen")).to_contain_text("1 selected")


def test_a_draft_of_an_amendment_outlives_a_reload_until_it_is_discarded(at, served):
    slide = Shown(served, "clear")
    page = at(slide.path, "monitor")
    page.locator("#idle [data-do=sign]").click()
    page.get_by_role("button", name="Sign now").click()
    page.locator("#idle [data-do=begin]").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "amend")
    picks(page, "Normal").first.click()
    page.keyboard.press("4")
    expect(bin_of(page, "unidentified").locator(".cell")).to_have_count(1)
    page.reload()
    expect(bin_of(page, "unidentified").locator(".cell")).to_have_count(1)
    expect(page.locator("#sign")).to_contain_text("1 cell → unidentified")
    page.keyboard.press("u")
    expect(bin_of(page, "unidentified").locator(".cell")).to_have_count(0)
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    assert slide.case().review.number == 1


def test_nobody_signs_a_draft_whose_figures_did_not_come(at, served):
    slide = Shown(served, "clear")
    page = at(slide.path, "monitor", breaks=True)
    page.locator("#idle [data-do=sign]").click()
    page.get_by_role("button", name="Sign now").click()
    page.locator("#idle [data-do=begin]").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "amend")
    page.route("**/draft", lambda route: route.abort())
    picks(page, "Normal").first.click()
    page.keyboard.press("2")
    expect(page.locator("#error")).to_contain_text("room-silent")
    dialog = page.get_by_role("dialog", name="Sign the amendment")
    page.locator("#error [data-close]").click()
    page.locator("#sign [data-do=sign]").click()
    expect(page.locator("#error")).to_contain_text("room-silent")
    expect(dialog).to_be_hidden()

    # The dialog of the figures of before, brought up past the page's own care.
    page.evaluate("document.getElementById('sign-dialog').showModal()")
    dialog.get_by_label("Why the report is amended").fill("Seen again.")
    dialog.get_by_role("button", name="Sign now").click()
    expect(page.locator("#error")).to_contain_text("overtaken")
    expect(page.locator("#sign")).to_contain_text("1 cell → AML")
    assert len(slide.case().review.reports) == 1
    page.unroute("**/draft")
    page.locator("#sign [data-do=sign]").click()
    expect(dialog.locator("dd").nth(2)).to_have_text("1")
    dialog.get_by_role("button", name="Sign now").click()
    expect(page.locator("#slide-head")).to_contain_text("amended")
    assert slide.case().review.reports[-1].report.reader["AML"] == 1


def test_a_draft_that_cannot_be_read_is_said_and_gone(at, served):
    slide = Shown(served, "clear")
    page = at(slide.path, "monitor")
    page.locator("#idle [data-do=sign]").click()
    page.get_by_role("button", name="Sign now").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    key = f"leukoscope-draft:ada:{slide.path}"
    page.evaluate("(key) => sessionStorage.setItem(key, '{\"x\": 1}')", key)
    page.reload()
    expect(page.locator("#error")).to_contain_text("draft-invalid")
    assert page.evaluate("(key) => sessionStorage.getItem(key)", key) is None
    page.locator("#idle [data-do=begin]").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "amend")


def test_thousands_of_cells_stay_usable_and_their_counts_whole(at, served):
    name = "s-of-thousands"
    for number in range(4):
        labels = ["Normal"] * 500 + ["ALL"] * 100
        served.do(put_field(served.room, 900_000 + number, labels, slide=name))
    page = at(f"/slides/home/{name}", "monitor")
    counts(page, 400, 0, 2000, 0, 0)
    assert page.locator(".cell").count() == 400
    picks(page, "Normal").first.focus()
    page.get_by_role("button", name="Show 200 more").nth(1).click()
    expect(picks(page, "Normal")).to_have_count(400)
    names = page.locator("#bin-Normal .cell").evaluate_all("(all) => all.map((one) => one.id)")
    assert len(set(names)) == 400
    picks(page, "Normal").first.focus()
    page.keyboard.press("a")
    expect(page.locator("#chosen-count")).to_have_text("400")
    expect(page.locator("#said")).to_contain_text("the bin has more cells than are shown")
    begun = time.monotonic()
    page.keyboard.press("x")
    counts(page, 400, 0, 1600, 0, 400)
    assert time.monotonic() - begun < 10  # a machine may be busy; on an idle one it is below 1 s
    expect(picks(page, "Normal")).to_have_count(400)  # as many as were shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious_and_nothing_is_too_small(at, slide, size, scheme):
    page = at(slide.path, size, scheme)
    loaded(page)
    assert grave(page) == []
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    picks(page, "unidentified").first.click()
    page.get_by_text("Waive the unidentified …").click()
    for closed in page.locator("#rest details").all():
        closed.locator("summary").click()
    assert grave(page) == []
    assert small_targets(page) == []
    page.keyboard.press("Escape")
    page.locator("#idle [data-do=comment]").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert grave(page) == []
