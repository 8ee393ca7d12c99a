"""`leukoscope-edge run`: the whole station, until it is stopped."""

import signal
import sys
import threading
from contextlib import ExitStack
from typing import Final

import structlog
from rich.console import Console

from edge.cameras.late import LateCamera
from edge.memory import return_large_blocks
from edge.panel.panel import open_panel
from edge.settings import EdgeSettings
from edge.spool import SpoolError
from edge.station import Station, open_station
from edge.watchdog import Systemd, Watchdog
from wire.words import RESEARCH_USE_ONLY

_OTHER_SENDER_S: Final = 60.0
"""How long to wait for a `capture` that is just sending, in seconds."""

_log = structlog.get_logger("edge.run")


def run_station(settings: EdgeSettings) -> None:
    """Open everything, go on without what is missing, and wait for SIGTERM or SIGINT.

    Raises:
        SpoolError: another agent runs on this folder, or the spool cannot be opened.
        ConnectionSetupError: the broker settings cannot work.
    """
    return_large_blocks()
    stop, systemd = threading.Event(), Systemd.from_environment()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with ExitStack() as stack:
        station = stack.enter_context(
            open_station(
                settings,
                camera=LateCamera(settings.camera),
                wait_to_send_s=_OTHER_SENDER_S,
                stop=stop,
            )
        )
        if station.agent is None:
            if stop.is_set():
                return
            raise SpoolError(f"another agent is running on {settings.data_dir}: stop it first")
        panel = open_panel(station.desk, settings.panel)
        if panel is not None:
            stack.callback(panel.stop)
        address = _serve_page(station, settings, stack)
        watchdog = Watchdog(systemd, station.microscope.preview)
        watchdog.start()
        stack.callback(watchdog.stop)
        systemd.ready(f"capture page {address}" if address else "no capture page")
        stop.wait()
        systemd.stopping()


def _serve_page(station: Station, settings: EdgeSettings, stack: ExitStack) -> str:
    """Serve the capture page; its address, or nothing and a trouble. Captures need no page."""
    if not settings.page.enabled:
        return ""
    from wire.web.problem import PageError

    try:
        from edge.page.server import serve

        server = serve(station.desk, settings)
    except (PageError, ImportError) as error:
        station.troubles.note(
            "page-failed",
            "The capture page is not served; button and remote commands work.",
            error,
            remedy="The station's log says why. Put it right, then restart the station.",
        )
        return ""
    stack.callback(server.stop)
    if sys.stdout.isatty():  # a service's log has the address already
        console = Console(markup=False, highlight=False)
        console.print(f"capture page {server.address}\n{RESEARCH_USE_ONLY}")
    return server.address
