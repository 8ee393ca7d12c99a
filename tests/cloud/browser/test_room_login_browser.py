"""The way in, and pages that say what went wrong, on a phone and on a monitor."""

import pytest
from browsers import grave, small_targets
from playwright.sync_api import expect
from reading_room import PASSWORD, served_room

SCREENS = [("phone", "dark"), ("monitor", "light")]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with served_room(tmp_path_factory.mktemp("login"), stages=False) as opened:
        opened.room.accounts.set_password("ada", PASSWORD)
        yield opened


def fits(page):
    """No page scrolls sideways."""
    return page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def send(page, password):
    page.get_by_label("Name").fill("Ada")
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_a_reader_comes_in_where_she_wanted_to_be_and_goes_out(at, size, scheme):
    page = at("/refused/page", size, scheme, None)
    expect(page).to_have_url(f"{page.url.partition('/login')[0]}/login?next=/refused/page")
    expect(page.get_by_label("Name")).to_be_focused()
    send(page, "not the right one")
    expect(page.get_by_role("alert").filter(has_text="do not belong together")).to_be_visible()
    assert fits(page)
    assert grave(page) == []
    assert small_targets(page) == []
    send(page, PASSWORD)
    expect(page.get_by_role("heading", name="has no such page")).to_be_visible()
    page.get_by_role("link", name="To the worklist").click()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), SCREENS)
@pytest.mark.parametrize(
    ("path", "who", "says"),
    [
        ("/nowhere", "ada", "has no such page"),
        ("/slides/home/s1", "root", "Slides are for readers."),
        ("/slides/home/s0", "ada", "No result of this slide"),
        ("/refusals", "ada", "Refusals"),
    ],
)
def test_what_went_wrong_is_read_by_everybody(at, path, who, says, size, scheme):
    page = at(path, size, scheme, who)
    expect(page.get_by_role("heading", level=1)).to_contain_text(says)
    assert fits(page)
    assert grave(page) == []
    if path != "/refusals":  # links within a text
        assert small_targets(page) == []
