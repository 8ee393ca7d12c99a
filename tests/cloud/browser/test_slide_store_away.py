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
