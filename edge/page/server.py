"""Serves the page on threads of its own, beside the agent."""

import socket
import threading
from typing import Final

import structlog
import uvicorn

from edge.desk import Desk
from edge.page.app import app_of
from edge.page.page import Page, open_page
from edge.settings import EdgeSettings
from wire.web.problem import PageError
from wire.web.serving import GOODBYE_S, address_of, listen, server_config

_MOST_CONNECTIONS: Final = 64
"""At a time; each open page holds two."""

_log = structlog.get_logger("edge.page")


class Server:
    """A page that is being served. `stop` it before its desk is closed."""

    def __init__(
        self, page: Page, listening: socket.socket, uvicorn_server: uvicorn.Server
    ) -> None:
        self._page = page
        self._listening = listening
        self._server = uvicorn_server
        self._thread = threading.Thread(target=self._run, name="page", daemon=True)
        self._thread.start()
        self.address = address_of(listening, page.settings.page)
        """What a browser on this machine opens."""

    def stop(self) -> None:
        """End all streams, let running requests end, give the port back."""
        self._page.close()
        self._server.should_exit = True
        self._thread.join(GOODBYE_S + 5)
        self._listening.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listening])
        except (Exception, SystemExit):  # noqa: BLE001  # the agent goes on without the page
            _log.exception("page_ended")


def serve(desk: Desk, settings: EdgeSettings, *, fresh: bool = False) -> Server:
    """Serve the page of a desk.

    Args:
        desk: opened; stays the caller's to close, after the server was stopped.
        settings: of the station.
        fresh: read templates and static files at every use, while somebody works on them.

    Raises:
        PageError: the port is taken, the password is missing, or the certificate does not load.
    """
    page = open_page(desk, settings, fresh=fresh)
    _demand_password(page)
    config = server_config(app_of(page), settings.page, _MOST_CONNECTIONS)
    listening = listen(settings.page)
    server = Server(page, listening, uvicorn.Server(config))
    _log.info("page_open", address=server.address, password=page.passwords.is_set)
    return server


def _demand_password(page: Page) -> None:
    if page.settings.page.needs_password and not page.passwords.is_set:
        raise PageError(
            f"the page at {page.settings.page.host} can be reached from other machines and has no "
            "password: set one with `leukoscope-edge page password`, or leave page.host at "
            "127.0.0.1 without a trusted_proxy"
        )
