"""The store goes away before a reader's eyes, and comes back."""

import pytest
from browsers import expect
from cut_store import Cut
from reading_room import served_room
from slide_browser import Shown, counts, loaded, picks


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    objects = Cut()
    with served_room(tmp_path_factory.mktemp("cut"), stages=False, objects=objects) as served:
        served.room.waiting.patience_s = 1
        yield served, objects


def test_the_page_says_that_an_act_waits_and_that_it_was_written(at, cut):
    served, objects = cut
    slide = Shown(served)
    slide.look()
    page = at(slide.path, "phone", room=served, breaks=True)
    loaded(page)
    objects.away = True
    picks(page, "Normal").first.tap()
    page.get_by_role("button", name="ALL", exact=True).tap()
    expect(page.locator("#error")).to_contain_text("Your change waits for it")
    expect(page.locator("#error")).to_contain_text("store-away")
    counts(page, 6, 1, 5, 2, 0)
    page.reload()  # reading goes on
    counts(page, 6, 1, 5, 2, 0)
    objects.away = False
    counts(page, 7, 1, 4, 2, 0)
    expect(page.locator("#said")).to_have_text("The store is back: your change is written.")
    assert len(slide.case().review.labels) == 1


def test_an_amendment_that_a_stopped_room_has_not_written_is_not_lost(at, cut):
    served, objects = cut
    slide = Shown(served, "clear")
    page = at(slide.path, "monitor", room=served, breaks=True)
    page.locator("#idle [data-do=sign]").click()
    page.get_by_role("button", name="Sign now").click()
    page.locator("#idle [data-do=begin]").click()
    picks(page, "Normal").first.click()
    page.keyboard.press("2")
    expect(page.locator("#sign")).to_contain_text("1 cell → AML")
    objects.away = True
    amends(page)
    expect(page.locator("#error")).to_contain_text("Your change waits for it")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    page.reload()
    expect(page.locator("#error")).to_contain_text("Your change waits for it")
    page.locator("#idle [data-do=begin]").click()
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")

    served.do(served.room.waiting.close())
    page.reload()
    expect(page.locator("#error")).to_contain_text("room-stopped")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "amend")
    expect(page.locator("#sign")).to_contain_text("1 cell → AML")
    amends(page)
    expect(page.locator("#error")).to_contain_text("Your change waits for it")
    objects.away = False
    expect(page.locator("#slide-head")).to_contain_text("amended")
    expect(page.locator("#slide")).to_have_attribute("data-mode", "signed")
    expect(page.locator("#said")).to_have_text("The store is back: your change is written.")
    page.wait_for_function(
        "() => !Object.keys(sessionStorage).some((key) => key.startsWith('leukoscope-'))"
    )
    assert slide.case().review.reports[-1].report.reader["AML"] == 1


def amends(page):
    page.locator("#sign [data-do=sign]").click()
    dialog = page.get_by_role("dialog", name="Sign the amendment")
    dialog.get_by_label("Why the report is amended").fill("Seen again.")
    dialog.get_by_role("button", name="Sign now").click()
