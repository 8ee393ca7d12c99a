"""The research-use line at the foot covers nothing, however wide the screen is."""

import pytest

WIDTHS = (390, 699, 700, 820, 959, 960, 999, 1000, 1160, 1440)
HEIGHTS = """() => [
  document.querySelector('.ruo').getBoundingClientRect().height,
  parseFloat(getComputedStyle(document.querySelector('.room')).getPropertyValue('--ruo-height')),
]"""


def field(page):
    """The first field of the slide that is open."""
    return page.locator("a[href*='/fields/']").first.get_attribute("href")


@pytest.mark.parametrize("where", ["worklist", "slide", "signed", "field"])
def test_the_page_leaves_as_much_room_as_the_line_takes(served, at, where):
    paths = {"worklist": "/", "signed": f"/slides/home/{served.slides['signed']}"}
    page = at(paths.get(where, f"/slides/home/{served.slides['open']}"))
    if where == "field":
        page.goto(served.address + field(page))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        taken, left = page.evaluate(HEIGHTS)
        assert taken <= left + 0.5, (width, taken, left)
