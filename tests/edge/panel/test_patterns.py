"""The table of the light: in code, in the docs, and readable by a person."""

from itertools import pairwise
from pathlib import Path

import pytest

from edge.panel.patterns import EVENTS, LASTING, Pattern
from edge.panel.settings import PanelSettings

ROOT = Path(__file__).resolve().parent.parent.parent.parent
EVERY = (*LASTING, *EVENTS)


def blinks(pattern: Pattern) -> int:
    return sum(lit for lit, _ in pattern.steps)


def test_the_docs_show_the_table_of_the_code():
    page = (ROOT / "docs" / "pi.md").read_text()
    for pattern in EVERY:
        assert f"| {pattern.looks} | {pattern.means} |" in page, pattern.name


def test_no_two_patterns_look_alike():
    assert len({pattern.looks for pattern in EVERY}) == len(EVERY)
    assert len({pattern.steps for pattern in EVERY}) == len(EVERY)


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.name)
def test_every_step_lasts_long_enough_to_be_seen_and_changes_the_light(pattern):
    assert all(seconds >= 0.08 for _, seconds in pattern.steps)
    lights = [lit for lit, _ in pattern.steps]
    assert all(a != b for a, b in pairwise(lights)) or pattern.once


@pytest.mark.parametrize("pattern", EVERY, ids=lambda pattern: pattern.name)
def test_no_pattern_flashes_in_the_range_that_can_start_a_seizure_for_long(pattern):
    """WCAG 2.3.1 warns of more than three flashes in a second; a small LED is far below its area
    and only short events are faster."""
    assert blinks(pattern) / pattern.seconds <= 3 or pattern.once


def test_what_happened_is_told_in_under_three_seconds():
    assert all(event.once and event.seconds < 3.1 for event in EVENTS)
    assert not any(pattern.once for pattern in LASTING)


def test_button_and_light_need_pins_of_their_own():
    with pytest.raises(ValueError, match="both 17: give each its own"):
        PanelSettings(button_gpio=17, light_gpio=17)


def test_false_means_no_pin_as_toml_has_no_null():
    settings = PanelSettings.model_validate({"button_gpio": False, "light_gpio": "false"})
    assert settings.button_gpio is None
    assert settings.light_gpio is None
    assert not settings.wanted


def test_pins_that_the_header_lacks_are_refused():
    with pytest.raises(ValueError, match="less than or equal to 27"):
        PanelSettings(button_gpio=40)
