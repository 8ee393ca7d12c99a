"""What systemd is told of the agent: ready, alive, how it goes, stopping (sd_notify(3)).

Written straight to the socket that systemd names: it is one datagram, and needs no library.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from edge.cameras.base import CameraError

FEEDS_A_LIMIT: Final = 3
"""How often the watchdog is fed in the time that systemd allows; two may come late."""

_log = structlog.get_logger("edge.watchdog")


class Systemd:
    """The service manager's ear. Without one, as on a desk, every call does nothing.

    Args:
        address: socket to write to, a path or `@` and an abstract name; empty for none.
        watchdog_s: seconds after which systemd restarts an agent that was not fed; None without.
    """

    def __init__(self, address: str = "", watchdog_s: float | None = None) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._deaf = False
        self.watchdog_s = watchdog_s if address else None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> "Systemd":
        """Of `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` as systemd sets them."""
        given = os.environ if environment is None else environment
        address = given.get("NOTIFY_SOCKET", "")
        if address and address[0] not in "/@":
            _log.warning("notify_socket_unknown", detail="neither a path nor abstract: not used")
            address = ""
        return cls(address, _watchdog_s(given))

    def ready(self, status: str = "") -> None:
        """The agent works from here on."""
        self._tell("READY=1", *([_status(status)] if status else []))

    def status(self, text: str) -> None:
        """One line for `systemctl status`; no name and no number of a slide belongs in it."""
        self._tell(_status(text))

    def feed(self) -> None:
        """The agent is alive: do not restart it for another `watchdog_s` seconds."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The agent is on its way out; its saying goodbye is no hang."""
        self._tell("STOPPING=1")

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as ear:
                ear.settimeout(1.0)
                ear.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if not self._deaf:  # once, not at every feed
                _log.warning("systemd_not_told", error=str(error))
            self._deaf = True
        else:
            self._deaf = False


class Watchdog:
    """Feeds systemd's watchdog as long as the camera answers, on a thread of its own.

    A camera that says what is wrong (`CameraError`) has answered: pulling its plug is an error on
    the page, and no reason for a restart. One that hangs does not answer, is not fed, and systemd
    starts the agent anew; what was saved stays saved.

    Args:
        systemd: told to wait.
        look: takes a look through the camera's lock, such as `Microscope.preview`, whose picture
            is thrown away.
    """

    def __init__(self, systemd: Systemd, look: Callable[[], object]) -> None:
        self._systemd = systemd
        self._look = look
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Feed from now on; without a watchdog this does nothing."""
        if self._systemd.watchdog_s is not None:
            self._thread.start()

    def stop(self) -> None:
        """Feed no more. Waits for no camera."""
        self._stop.set()

    def _run(self) -> None:
        every_s = (self._systemd.watchdog_s or 0.0) / FEEDS_A_LIMIT
        while not self._stop.is_set():
            try:
                self._look()
            except CameraError as error:
                _log.debug("watchdog_saw_no_picture", detail=str(error))
            self._systemd.feed()
            self._stop.wait(every_s)


def _status(text: str) -> str:
    return "STATUS=" + " ".join(text.split())


def _watchdog_s(given: Mapping[str, str]) -> float | None:
    """Seconds of systemd's patience; None where it has set none, or set it for another process."""
    microseconds, pid = given.get("WATCHDOG_USEC", ""), given.get("WATCHDOG_PID", "")
    if not microseconds.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(microseconds) / 1e6 or None
