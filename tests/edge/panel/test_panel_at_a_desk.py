"""The panel with a real desk, on the simulator: a press becomes a saved frame."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from brokers import free_port
from edge_program import start_edge
from gpiozero.pins.mock import MockFactory
from rig import until

from edge.cameras.late import LateCamera
from edge.panel.panel import open_panel
from edge.settings import EdgeSettings
from edge.station import Station, open_station


@dataclass
class Seat:
    """A station and a finger on its button."""

    station: Station
    pins: MockFactory

    def press(self, seconds: float) -> None:
        button = self.pins.pin(17)
        button.drive_low()
        time.sleep(seconds)
        button.drive_high()


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    return EdgeSettings(
        site="home",
        device="scope-1",
        data_dir=tmp_path / "station",
        min_free_mb=0,
        burst=1,
        broker={"port": free_port()},
        panel={"hold_s": 0.5},
    )


@pytest.fixture
def seat(settings) -> Iterator[Seat]:
    pins = MockFactory()
    with open_station(settings, camera=LateCamera(settings.camera)) as station:
        panel = open_panel(station.desk, settings.panel, pins)
        assert panel is not None
        yield Seat(station, pins)
        panel.stop()
        assert not pins.pin(27).state


def test_press_and_hold_take_a_capture_and_end_its_slide(seat):
    desk = seat.station.desk
    assert desk.state.can.gpio
    desk.start_slide("24-001234", "page")
    seat.press(0.05)
    until(lambda: any(line.saved for line in desk.state.lines), 20, "the capture shows saved")
    (line,) = desk.state.lines
    assert seat.station.spool.status().waiting == 1
    assert (line.by, line.saved, line.slide) == ("button", True, desk.state.slide)
    seat.press(0.7)
    until(lambda: desk.state.slide is None, 5, "the slide is ended")
    assert seat.station.spool.status().waiting == 1


def test_a_press_without_a_slide_is_refused_and_the_page_says_why(seat):
    desk = seat.station.desk
    seat.press(0.05)
    until(lambda: desk.state.refusal is not None, 5, "the refusal")
    assert (desk.state.refusal.code, desk.state.refusal.by) == ("no-slide", "button")
    seat.press(0.7)
    until(lambda: desk.state.refusal.code == "no-barcode", 20, "no barcode is in view")
    assert seat.station.spool.status().waiting == 0


@pytest.mark.slow
def test_the_whole_agent_as_a_service_with_a_panel_tells_systemd_how_it_is(tmp_path):
    """`leukoscope-edge run` with systemd's socket and mock pins; its log tells of the panel."""
    address, log = tmp_path / "notify", tmp_path / "log"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(address))
        ear.settimeout(60)
        given = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "3000000",
                 "GPIOZERO_PIN_FACTORY": "mock"}  # fmt: skip
        with pytest.MonkeyPatch.context() as environment:
            for name, value in given.items():
                environment.setenv(name, value)
            agent = start_edge(
                log, "run", site="home", device="scope-1", data_dir=tmp_path / "station",
                min_free_mb=0, broker__port=free_port(), page__port=free_port(),
            )  # fmt: skip
        try:
            heard = {ear.recv(4096).decode().splitlines()[0] for _ in range(2)}
            assert heard == {"READY=1", "WATCHDOG=1"}
            agent.send_signal(signal.SIGTERM)
            while (said := ear.recv(4096).decode()) == "WATCHDOG=1":
                pass
            assert said == "STOPPING=1"
            assert agent.wait(30) == 0
        finally:
            if agent.poll() is None:
                os.kill(agent.pid, signal.SIGKILL)
                agent.wait()
    assert '"button_gpio": 17' in log.read_text()
