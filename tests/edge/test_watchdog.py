"""What systemd hears of the agent, on a real datagram socket."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge.cameras.base import CameraError
from edge.watchdog import Systemd, Watchdog


class Ear:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)

    def hear(self, timeout_s: float = 2.0) -> str:
        self._socket.settimeout(timeout_s)
        return self._socket.recv(4096).decode()

    def hears_nothing_for(self, seconds: float) -> bool:
        try:
            self.hear(seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def ear(request, tmp_path: Path):
    address = f"@leukoscope-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "n")
    made = Ear(address)
    yield made
    made.close()


@pytest.fixture
def patient_ear(tmp_path: Path):
    made = Ear(str(tmp_path / "notify"))
    yield made
    made.close()


def test_systemd_hears_ready_status_watchdog_and_stopping(ear):
    systemd = Systemd.from_environment({"NOTIFY_SOCKET": ear.address, "WATCHDOG_USEC": "9000000"})
    systemd.ready("3 waiting")
    systemd.status("camera away:\n plug it in")
    systemd.feed()
    systemd.stopping()
    assert [ear.hear() for _ in range(4)] == [
        "READY=1\nSTATUS=3 waiting",
        "STATUS=camera away: plug it in",
        "WATCHDOG=1",
        "STOPPING=1",
    ]
    assert systemd.watchdog_s == 9.0


def test_without_systemd_nothing_is_said_and_nothing_fails():
    systemd = Systemd.from_environment({})
    systemd.ready()
    systemd.feed()
    assert systemd.watchdog_s is None


def test_a_watchdog_meant_for_another_process_is_not_ours(tmp_path):
    given = {"NOTIFY_SOCKET": str(tmp_path / "n"), "WATCHDOG_USEC": "9000000"}
    assert Systemd.from_environment(given | {"WATCHDOG_PID": "1"}).watchdog_s is None
    assert Systemd.from_environment(given | {"WATCHDOG_PID": str(os.getpid())}).watchdog_s == 9.0


@pytest.mark.parametrize("amount", ["", "soon", "0", "-5"])
def test_a_watchdog_time_that_is_none_is_no_watchdog(amount):
    given = {"NOTIFY_SOCKET": "@x", "WATCHDOG_USEC": amount}
    assert Systemd.from_environment(given).watchdog_s is None


def test_a_socket_of_a_kind_we_cannot_write_to_is_said_once_and_not_used():
    with capture_logs() as logs:
        systemd = Systemd.from_environment({"NOTIFY_SOCKET": "vsock:2:1234"})
        systemd.ready()
    assert [entry["event"] for entry in logs] == ["notify_socket_unknown"]


def test_a_systemd_that_went_away_is_said_once(tmp_path):
    systemd = Systemd(str(tmp_path / "gone"), 9.0)
    with capture_logs() as logs:
        systemd.feed()
        systemd.feed()
    assert [entry["event"] for entry in logs] == ["systemd_not_told"]


def test_a_camera_that_answers_feeds_the_watchdog_three_times_in_its_time(patient_ear):
    watchdog = Watchdog(Systemd(patient_ear.address, 0.6), lambda: None)
    started = time.monotonic()
    watchdog.start()
    heard = [patient_ear.hear() for _ in range(4)]
    took = time.monotonic() - started
    watchdog.stop()
    assert heard == ["WATCHDOG=1"] * 4
    assert 0.5 < took < 2


def test_a_camera_that_says_it_is_unplugged_feeds_the_watchdog_too(patient_ear):
    def look() -> None:
        raise CameraError("the plug is out: push it in")

    watchdog = Watchdog(Systemd(patient_ear.address, 0.3), look)
    watchdog.start()
    assert [patient_ear.hear() for _ in range(3)] == ["WATCHDOG=1"] * 3
    watchdog.stop()


def test_a_camera_that_hangs_is_no_longer_fed_and_is_again_once_it_answers(patient_ear):
    hangs, looked = threading.Event(), threading.Event()
    hangs.set()

    def look() -> None:
        if looked.is_set():
            while hangs.is_set():
                time.sleep(0.01)
        looked.set()

    watchdog = Watchdog(Systemd(patient_ear.address, 0.3), look)
    watchdog.start()
    assert patient_ear.hear() == "WATCHDOG=1"
    assert patient_ear.hears_nothing_for(0.6)  # twice the patience of this systemd
    hangs.clear()
    assert patient_ear.hear() == "WATCHDOG=1"
    watchdog.stop()


def test_a_stopped_watchdog_waits_for_no_camera_and_feeds_no_more(patient_ear):
    free = threading.Event()
    watchdog = Watchdog(Systemd(patient_ear.address, 0.3), lambda: free.wait(5))
    watchdog.start()
    started = time.monotonic()
    watchdog.stop()
    assert time.monotonic() - started < 0.5
    free.set()
    patient_ear.hear()  # the look that was under way ends, and is the last
    assert patient_ear.hears_nothing_for(0.4)


def test_without_a_watchdog_the_camera_is_not_looked_through():
    looked = []
    watchdog = Watchdog(Systemd("@nobody", None), lambda: looked.append(1))
    watchdog.start()
    watchdog.stop()
    assert not looked
