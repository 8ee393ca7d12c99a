"""axe-core finds nothing serious: at every size, in light and dark, with an error shown."""

import pytest
from browsers import capture_stored, expect, grave, picture, show, small_targets, start_slide
from page_end import PASSWORD, page_of, page_settings
from stand_in_desk import StandInDesk

from edge.page.guard.passwords import Passwords


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(at, size, scheme):
    page = at(size, scheme)
    expect(page.locator(".band").first).to_be_visible()
    page.locator("#capture").click()
    expect(page.locator("#error")).to_contain_text("no-slide")
    assert grave(page) == []


def test_axe_finds_nothing_serious_once_results_are_there(at):
    page = at("touch", "dark")
    start_slide(page, "24-6")
    capture_stored(page)
    page.locator(".keys summary").click()
    page.locator("#part-calibration summary").click()
    assert grave(page) == []
    page.evaluate("window.scrollTo(0, 0)")
    picture(page, "dark")


def test_axe_finds_nothing_serious_at_the_door_and_on_the_page_of_refusals(browser, tmp_path):
    settings = page_settings(tmp_path)
    Passwords(settings.page_password_file).set(PASSWORD)
    with (
        page_of(StandInDesk(data_dir=tmp_path), settings) as server,  # needs no camera
        show(browser, server.address, "touch", "light") as page,
    ):
        page.get_by_label("The station's password").fill("not this one")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not the station's password")
        assert grave(page) == []
        assert small_targets(page) == []
        page.goto(f"{server.address}/refusals#out-of-focus")
        expect(page.locator("#out-of-focus")).to_be_in_viewport()
        assert grave(page) == []
        page.goto(f"{server.address}/login")
        page.get_by_label("The station's password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
