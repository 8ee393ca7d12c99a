"""What the page says when something is wrong: what happened, what to do, a code to look it up."""

import pytest
from browsers import capture_stored, expect, picture, start_slide

from edge.refusal import CaptureRefused


def test_a_refused_picture_says_what_happened_and_what_to_do(at, bench, size):
    page = at(size)
    start_slide(page, "24-3")
    bench.out_of_focus()
    page.locator("#capture").click()
    error = page.locator("#error")
    expect(error).to_contain_text("The field is out of focus")
    expect(error).to_contain_text("Turn the fine focus")
    expect(error.get_by_role("link", name="out-of-focus")).to_have_attribute(
        "href", "https://handbook.example/refusals.html#out-of-focus"
    )
    expect(error.get_by_role("img", name="QR code of the page on out-of-focus")).to_be_visible()
    expect(page.locator("#capture")).to_be_in_viewport(ratio=1)
    assert error.get_attribute("role") == "alert"
    if size == "touch":
        picture(page, "error")
    page.keyboard.press("Escape")
    expect(error).to_be_empty()


def test_an_error_goes_when_the_next_capture_is_well(at):
    page = at()
    page.locator("#capture").click()
    expect(page.locator("#error")).to_contain_text("no-slide")
    page.locator("#accession").focus()
    start_slide(page, "24-4")
    capture_stored(page)
    expect(page.locator("#error")).to_be_empty()


def test_what_the_button_was_refused_is_said_too_and_every_time(at, bench):
    page = at()
    for _ in range(2):
        with pytest.raises(CaptureRefused, match="slide"):
            bench.station.desk.capture("button")
        expect(page.locator("#error")).to_contain_text("by button")
        page.get_by_role("button", name="Close the error").click()
        expect(page.locator("#error")).to_be_empty()
        page.wait_for_timeout(1100)  # the next refusal has another second


def test_a_station_that_falls_silent_is_said(at, bench):
    with bench.second_page() as server:
        page = at(address=server.address, breaks=True)
        expect(page.locator(".band").first).to_be_visible()
    expect(page.locator("#stream")).to_contain_text("No word from the station")
    page.locator("#capture").click()
    expect(page.locator("#error")).to_contain_text("The station does not answer")


def test_a_trouble_stands_with_its_remedy_and_its_code(at, bench):
    page = at()
    bench.station.troubles.note("test-trouble", "The lamp is off.", remedy="Turn it on.")
    trouble = page.locator("[data-code=test-trouble]")
    expect(trouble).to_contain_text("The lamp is off. Turn it on.")
    expect(trouble.get_by_role("link")).to_have_text("test-trouble")
    bench.station.troubles.over("test-trouble")
    expect(trouble).to_have_count(0)
