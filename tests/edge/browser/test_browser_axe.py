"""axe-core finds nothing serious: at every size, in light and dark, with and without an error."""

import pytest
from browsers import capture_stored, expect, grave, picture, start_slide


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(at, size, scheme):
    page = at(size, scheme)
    expect(page.locator(".band").first).to_be_visible()
    assert grave(page) == []
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
