"""Everything by keyboard, in the order in which hands work: number, Enter, space, space, end."""

from browsers import capture_stored, expect, newest, start_slide


def test_a_slide_is_worked_without_a_pointer(at):
    page = at()
    start_slide(page, "24-7")
    expect(page.locator("#capture")).to_be_focused()
    first = capture_stored(page, "Space")
    expect(page.locator("#capture")).to_be_focused()
    second = capture_stored(page, "Enter")
    assert first != second
    page.keyboard.press("Alt+x")
    expect(page.locator("#accession")).to_be_focused()


def test_before_everything_stands_a_way_to_skip_to_capture(at):
    page = at()
    expect(page.locator("#accession")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    skip = page.get_by_role("link", name="Skip to Capture")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#capture")).to_be_focused()


def test_alt_and_a_letter_reach_capture_and_the_number(at):
    page = at()
    expect(page.locator("#accession")).to_be_focused()
    page.keyboard.press("Alt+c")
    expect(page.locator("#error")).to_contain_text("no-slide")
    page.keyboard.press("Alt+n")
    expect(page.locator("#accession")).to_be_focused()


def test_whoever_has_the_focus_sees_it(at):
    page = at()
    start_slide(page, "24-7")
    page.keyboard.press("Tab")
    ring = page.evaluate(
        "() => { const s = getComputedStyle(document.activeElement);"
        " return [document.activeElement.tagName, s.outlineStyle, parseFloat(s.outlineWidth)] }"
    )
    assert ring[1:] == ["solid", 3]
    assert ring[0] == "BUTTON"


def test_a_number_being_typed_outlives_what_comes_by_the_stream(at, bench):
    page = at()
    page.keyboard.type("24-00")
    bench.station.troubles.note("test-trouble", "Something is wrong.", remedy="Nothing to do.")
    expect(page.locator("#part-troubles")).to_contain_text("Something is wrong.")
    bench.station.troubles.over("test-trouble")
    expect(page.locator("#part-troubles")).not_to_contain_text("Something is wrong.")
    page.keyboard.type("99")
    expect(page.locator("#accession")).to_have_value("24-0099")
    assert newest(page) is None or "24-0099" not in page.content()
