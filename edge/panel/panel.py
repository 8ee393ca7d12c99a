"""The panel: the button works the desk, the light mirrors it."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import structlog

from edge.cameras.base import CameraExhausted
from edge.desk.state import By, DeskState
from edge.panel import patterns, signs
from edge.panel.hand import Hand
from edge.panel.light import Light
from edge.panel.pins import PanelUnavailable, Pins, open_pins
from edge.panel.settings import PanelSettings
from edge.refusal import CaptureRefused

_LOOK_S: Final = 1.0
"""How long the light waits for news before it sees whether it should stop, in seconds."""

_log = structlog.get_logger("edge.panel")


class Worked(Protocol):
    """What the panel needs of the desk: `edge.desk.Desk`."""

    def capture(self, by: By) -> object:
        """Take one capture."""

    def hold(self, by: By) -> object:
        """End the open slide, or begin the one in view."""

    def stop_scan(self, by: By) -> None:
        """Stop after the field at hand."""

    def note_panel(self, *, present: bool) -> None:
        """Whether there are button and light."""

    @property
    def state(self) -> DeskState:
        """Now."""

    def wait(self, seen_version: int, timeout_s: float) -> DeskState:
        """The state once it is newer, or after a while."""


class Panel:
    """Button and light, on threads of their own.

    Args:
        desk: that they work and mirror.
        pins: opened; the panel's to close.
        settings: of the panel.
    """

    def __init__(self, desk: Worked, pins: Pins, settings: PanelSettings) -> None:
        self._desk = desk
        self._pins = pins
        self._stopping = threading.Event()
        # Two: while one captures, the other is told that the station is busy, and shows it.
        self._hands = ThreadPoolExecutor(2, thread_name_prefix="panel-hand")
        self._light = Light(pins.light, signs.lasting(desk.state)) if pins.light else None
        self._eye = threading.Thread(target=self._mirror, name="panel-eye", daemon=True)
        if pins.button is not None:
            Hand(
                pins.button,
                settings.hold_s,
                press=lambda: self._do("press", self._press),
                hold=lambda: self._do("hold", self._hold),
                held=lambda: self._tell(patterns.HELD),
            )

    def start(self) -> None:
        """Shine; the button works from the beginning."""
        self._desk.note_panel(present=True)
        if self._light is not None:
            self._light.start()
            self._eye.start()

    def stop(self) -> None:
        """Let a capture under way end, go dark and give the pins back."""
        self._stopping.set()
        if self._pins.button is not None:
            self._pins.button.close()  # no press from here on
        self._hands.shutdown(cancel_futures=True)
        self._desk.note_panel(present=False)  # news, which also wakes the eye
        if self._eye.is_alive():
            self._eye.join()
        if self._light is not None:
            self._light.stop()
        self._pins.close()

    # --- the button, on gpiozero's threads: nothing there may take long ---

    def _do(self, gesture: str, work: Callable[[], None]) -> None:
        if not self._stopping.is_set():
            self._hands.submit(self._carry_out, gesture, work)

    def _carry_out(self, gesture: str, work: Callable[[], None]) -> None:
        try:
            work()
        except CaptureRefused as refusal:  # the desk shows it, on the page and through the light
            _log.info("button_refused", gesture=gesture, reason=refusal.reason)
        except CameraExhausted:
            _log.info("button_refused", gesture=gesture, reason="camera-exhausted")
            self._tell(patterns.REFUSED)
        except Exception:  # noqa: BLE001  # in a pool it would vanish, and the light with it
            _log.exception("button_failed", gesture=gesture)
            self._tell(patterns.REFUSED)

    def _press(self) -> None:
        self._desk.capture("button")

    def _hold(self) -> None:
        if self._desk.state.activity == "scanning":
            self._desk.stop_scan("button")
        else:
            self._desk.hold("button")

    # --- the light ---

    def _tell(self, event: patterns.Pattern) -> None:
        if self._light is not None:
            self._light.tell(event)

    def _mirror(self) -> None:
        """Show every new state of the desk until the panel is stopped."""
        before = self._desk.state
        while self._light is not None and not self._stopping.is_set():
            now = self._desk.wait(before.version, _LOOK_S)
            self._light.show(signs.lasting(now))
            for event in signs.events(before, now):
                self._light.tell(event)
            before = now


def open_panel(desk: Worked, settings: PanelSettings, factory: object = None) -> Panel | None:
    """Open and start the panel; where there is none this is logged, once, and all else goes on.

    Args:
        desk: that it works.
        settings: which pins.
        factory: gpiozero's pin factory; None for the one of this machine.

    Returns:
        None where the settings want no panel, or there is no GPIO.
    """
    if not settings.wanted:
        return None
    try:
        pins = open_pins(settings, factory)
    except PanelUnavailable as absence:
        _log.warning("no_panel", detail=str(absence))
        return None
    panel = Panel(desk, pins, settings)
    panel.start()
    _log.info("panel", button_gpio=settings.button_gpio, light_gpio=settings.light_gpio)
    return panel
