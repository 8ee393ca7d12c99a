"""Button and light on gpiozero's mock pins: real presses, and what the LED does over time."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from desk_states import line, quiet, refusal
from gpiozero import Button
from gpiozero.pins.mock import MockFactory
from rig import until
from structlog.testing import capture_logs

from edge.cameras.base import CameraExhausted
from edge.desk.state import By, Can, DeskState
from edge.panel import patterns
from edge.panel.hand import Hand
from edge.panel.panel import Panel, open_panel
from edge.panel.settings import PanelSettings
from edge.refusal import CaptureRefused

SETTINGS = PanelSettings(hold_s=0.5)


class PaperDesk:
    """Notes what the button asks for, and shows whatever state a test puts on it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, By]] = []
        self.answer: Exception | None = None
        self.takes = threading.Event()
        self.takes.set()
        self._state = quiet()
        self._news = threading.Condition()

    def capture(self, by: By) -> object:
        return self._ask("capture", by)

    def hold(self, by: By) -> object:
        return self._ask("hold", by)

    def stop_scan(self, by: By) -> None:
        self._ask("stop_scan", by)

    def note_panel(self, *, present: bool) -> None:
        self.becomes(can=Can(gpio=present))

    @property
    def state(self) -> DeskState:
        return self._state

    def wait(self, seen_version: int, timeout_s: float) -> DeskState:
        with self._news:
            self._news.wait_for(lambda: self._state.version > seen_version, timeout_s)
            return self._state

    def becomes(self, **changes: object) -> None:
        with self._news:
            self._state = replace(self._state, version=self._state.version + 1, **changes)
            self._news.notify_all()

    def _ask(self, what: str, by: By) -> None:
        self.asked.append((what, by))
        self.takes.wait(5)
        if self.answer is not None:
            raise self.answer


class Bench:
    """A panel on mock pins, with a finger for its button."""

    def __init__(self, settings: PanelSettings = SETTINGS) -> None:
        self.factory = MockFactory()
        self.desk = PaperDesk()
        made = open_panel(self.desk, settings, self.factory)
        assert made is not None
        self.panel: Panel = made
        self.button = self.factory.pin(17) if settings.button_gpio is not None else None
        self.lamp = self.factory.pin(27) if settings.light_gpio is not None else None

    def press(self, seconds: float) -> None:
        self.button.drive_low()  # to ground: pressed
        time.sleep(seconds)
        self.button.drive_high()

    def asked(self, *wanted: str) -> bool:
        """Whether the desk is asked for exactly this, and for nothing more in a while."""
        until(lambda: len(self.desk.asked) >= len(wanted), 5, f"{wanted} asked for")
        time.sleep(0.1)
        return self.desk.asked == [(what, "button") for what in wanted]

    def shows(self, pattern: patterns.Pattern, rounds: int = 1) -> bool:
        """Whether the lamp plays the pattern within a few seconds; the steps' times are kept."""
        return plays(self.lamp, pattern, rounds, timeout_s=4 + 2 * pattern.seconds)


def plays(lamp, pattern: patterns.Pattern, rounds: int, timeout_s: float) -> bool:
    """Look for the pattern's changes of light, with their times, among those of the pin."""
    wanted = changes(pattern) * rounds
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found(wanted, lasted(lamp)):
            return True
        time.sleep(0.05)
    return False


def changes(pattern: patterns.Pattern) -> list[tuple[bool, float]]:
    """Steps of the pattern whose ends can be seen: the first and last darkness of an event may
    melt into what lies around it."""
    steps = list(pattern.steps)
    if pattern.once:
        steps = steps[1:-1] if not steps[-1][0] else steps[1:]
        if not steps[-1][0]:
            steps = steps[:-1]
    return steps


def lasted(lamp) -> list[tuple[bool, float]]:
    """What the lamp did since the test began: lit or dark, and for how long."""
    states = list(lamp.states)
    return [(bool(now.state), then.timestamp) for now, then in pairwise(states)]


def found(wanted: list[tuple[bool, float]], had: list[tuple[bool, float]]) -> bool:
    return any(
        all(
            lit == was_lit and abs(seconds - took) < 0.06 + 0.15 * seconds
            for (lit, seconds), (was_lit, took) in zip(wanted, had[start:], strict=False)
        )
        for start in range(len(had) - len(wanted) + 1)
    )


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.panel.stop()


def test_a_press_captures_once_and_when_the_finger_is_off(bench):
    bench.button.drive_low()
    time.sleep(0.15)
    assert bench.desk.asked == []
    bench.button.drive_high()
    assert bench.asked("capture")


def test_a_slow_press_of_a_gloved_finger_is_still_a_press(bench):
    bench.press(0.35)
    assert bench.asked("capture")


def test_a_hold_is_a_hold_and_no_press(bench):
    bench.press(0.7)
    assert bench.asked("hold")


def test_two_presses_in_a_row_are_two_captures(bench):
    bench.press(0.05)
    time.sleep(0.05)
    bench.press(0.05)
    assert bench.asked("capture", "capture")


def test_the_light_says_let_go_while_the_button_is_still_down(bench):
    bench.desk.becomes(slide="s1")
    until(lambda: bench.lamp.state, 2, "the light is lit")
    bench.button.drive_low()
    assert plays(bench.lamp, replace(patterns.HELD, steps=((False, 0.25),), once=False), 1, 2)
    assert bench.desk.asked == []
    bench.button.drive_high()
    assert bench.asked("hold")


def test_a_button_that_is_down_from_the_beginning_does_nothing_when_it_comes_up():
    factory = MockFactory()
    factory.pin(17).drive_low()
    done: list[str] = []
    with Button(17, pull_up=None, active_state=False, pin_factory=factory) as button:
        assert button.is_pressed
        Hand(
            button,
            0.5,
            press=lambda: done.append("press"),
            hold=lambda: done.append("hold"),
            held=lambda: done.append("held"),
        )
        factory.pin(17).drive_high()
        factory.pin(17).drive_low()
        factory.pin(17).drive_high()
    assert done == ["press"]  # the second time, which it saw from its beginning


def test_a_hold_during_a_scan_stops_the_scan(bench):
    bench.desk.becomes(slide="s1", activity="scanning")
    bench.press(0.7)
    assert bench.asked("stop_scan")


def test_a_press_while_a_capture_runs_reaches_the_desk_which_refuses_it(bench):
    bench.desk.takes.clear()
    bench.press(0.05)
    bench.press(0.05)
    assert bench.asked("capture", "capture")
    bench.desk.takes.set()


@pytest.mark.parametrize(
    ("answer", "event"),
    [
        (CaptureRefused("no-slide", "No slide is open.", "Scan its number."), "button_refused"),
        (CameraExhausted("no further image"), "button_refused"),
        (KeyError("a fault of the program"), "button_failed"),
    ],
)
def test_whatever_the_desk_answers_the_next_press_works(bench, answer, event):
    bench.desk.answer = answer
    with capture_logs() as logs:
        bench.press(0.05)
        until(lambda: any(entry["event"] == event for entry in logs), 3, event)
    bench.desk.answer = None
    bench.press(0.05)
    assert bench.asked("capture", "capture")


def test_the_light_mirrors_idle_slide_work_and_trouble(bench):
    assert bench.lamp.state  # the short blink of the beginning
    bench.desk.becomes(slide="s1", activity="capturing")
    assert bench.shows(patterns.WORKING, rounds=3)
    bench.desk.becomes(activity="idle")
    until(lambda: bench.lamp.state, 2, "lit")
    bench.lamp.clear_states()
    time.sleep(0.5)
    assert [state.state for state in bench.lamp.states] == [True]  # and stays so
    bench.desk.becomes(troubles=("the broker is away",))
    assert bench.shows(patterns.TROUBLE_OPEN)
    bench.desk.becomes(slide=None)
    assert bench.shows(patterns.TROUBLE)


def test_the_light_tells_saved_and_then_sent(bench):
    bench.desk.becomes(slide="s1")
    bench.desk.becomes(lines=(line("a", saved=True),))
    assert bench.shows(patterns.SAVED)
    bench.lamp.clear_states()
    bench.desk.becomes(lines=(line("a", saved=True, sent=True),))
    assert bench.shows(patterns.SENT)


def test_the_light_tells_a_refusal_and_that_a_number_is_missing(bench):
    bench.desk.becomes(refusal=refusal("out-of-focus"))
    assert bench.shows(patterns.REFUSED)
    bench.desk.becomes(refusal=refusal("no-barcode"))
    assert bench.shows(patterns.SCAN_NUMBER)


def test_stopping_darkens_the_light_frees_the_pins_and_lets_a_capture_end():
    bench = Bench()
    bench.desk.becomes(slide="s1")
    bench.desk.takes.clear()
    bench.press(0.05)
    bench.asked("capture")
    threading.Timer(0.3, bench.desk.takes.set).start()
    started = time.monotonic()
    bench.panel.stop()
    assert 0.15 < time.monotonic() - started < 3
    assert not bench.lamp.state
    assert not bench.desk.state.can.gpio
    again = open_panel(bench.desk, SETTINGS, bench.factory)  # the pins are free
    assert again is not None
    again.stop()


def test_a_button_without_a_light_works():
    bench = Bench(PanelSettings(hold_s=0.5, light_gpio=None))
    bench.press(0.05)
    assert bench.asked("capture")
    bench.press(0.7)
    assert bench.asked("capture", "hold")
    bench.panel.stop()


def test_a_light_without_a_button_mirrors():
    bench = Bench(PanelSettings(button_gpio=None))
    bench.desk.becomes(activity="scanning")
    assert bench.shows(patterns.WORKING, rounds=2)
    bench.panel.stop()


def test_chatter_of_the_contact_is_left_to_the_pins():
    bench = Bench(PanelSettings(bounce_s=0.04))
    assert bench.button.bounce == 0.04
    bench.panel.stop()


def test_without_gpio_it_is_said_once_and_the_station_goes_on():
    with capture_logs() as logs:
        assert open_panel(PaperDesk(), SETTINGS) is None  # this machine has no pins
    assert [entry["event"] for entry in logs] == ["no_panel"]
    assert "python3-lgpio" in logs[0]["detail"]


def test_pins_that_another_has_are_said_and_none_is_kept():
    factory = MockFactory()
    taken = open_panel(PaperDesk(), PanelSettings(button_gpio=None), factory)
    with capture_logs() as logs:
        assert open_panel(PaperDesk(), SETTINGS, factory) is None
    assert "GPIO 17 and 27 cannot be taken" in logs[0]["detail"]
    taken.stop()
    free = open_panel(PaperDesk(), SETTINGS, factory)
    assert free is not None
    free.stop()


def test_a_station_that_wants_no_panel_has_none_and_says_nothing():
    with capture_logs() as logs:
        wanted = PanelSettings(button_gpio=None, light_gpio=None)
        assert open_panel(PaperDesk(), wanted, MockFactory()) is None
    assert logs == []
