"""A whole slide, from its number to its last stored result, on each screen."""

from browsers import capture_stored, covered, expect, picture, small_targets, start_slide

from wire.words import RESEARCH_USE_ONLY


def test_a_whole_slide_is_captured_from_the_page(at, bench, size):
    page = at(size)
    token = start_slide(page, f"24-00{size}")
    ids = [capture_stored(page) for _ in range(2)]
    expect(page.locator(".latest-frame img")).to_have_js_property("naturalWidth", 1280)
    expect(page.locator(".suggestion")).to_contain_text("Suggested pre-classification")
    picture(page, size)
    page.locator("#end-slide").click()
    expect(page.locator("#accession")).to_be_focused()
    stored = [line for line in bench.station.desk.state.lines if line.slide == token]
    assert [line.capture_id for line in stored] == ids[::-1]
    assert all(line.saved and line.stored and line.suggestion for line in stored)
    assert f"24-00{size}" not in page.content()


def test_capture_and_the_research_use_line_stay_in_view_however_far_it_is_scrolled(at, size):
    page = at(size)
    start_slide(page, "24-1")
    capture, line = page.locator("#capture"), page.get_by_text(RESEARCH_USE_ONLY)
    for far in (0, 10_000):
        page.evaluate("(far) => window.scrollTo(0, far)", far)
        expect(capture).to_be_in_viewport(ratio=1)
        expect(line).to_be_in_viewport(ratio=1)
        assert covered(capture) == []
        assert line.evaluate("(it) => it.scrollHeight <= it.clientHeight + 1")
    box = capture.bounding_box()
    assert min(box["width"], box["height"]) >= 64


def test_nothing_is_too_small_for_a_glove_and_nothing_is_wider_than_the_screen(at, size):
    page = at(size)
    start_slide(page, "24-1")
    page.locator(".keys summary").click()
    page.locator("#part-calibration summary").click()
    assert small_targets(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]


def test_focus_and_brightness_have_a_needle_and_a_word(at, bench):
    page = at()
    focus = page.get_by_role("img", name="Focus: sharp")
    expect(focus).to_be_visible()
    expect(page.get_by_role("img", name="Brightness: good")).to_be_visible()
    expect(page.locator(".band", has=focus).locator(".band-word")).to_have_text("sharp")
    bench.out_of_focus()
    expect(page.get_by_role("img", name="Focus: out of focus")).to_be_visible()


def test_a_scan_counts_to_its_end_and_says_what_it_found(at, bench):
    page = at("monitor")
    start_slide(page, "24-2")
    page.locator("#scan-cells").fill("9")
    page.get_by_role("button", name="Start scan").click()
    scan = page.locator("#part-scan")
    expect(scan).to_contain_text("of 9 white cells")
    expect(scan).to_contain_text("done")
    expect(scan.locator(".counts")).to_contain_text("preliminary")
    assert bench.station.desk.state.scan.cells >= 9
    picture(page, "scan")
