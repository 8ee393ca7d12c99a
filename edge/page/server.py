"""Serves the page on threads of its own, beside the agent."""

import logging
import socket
import ssl
import threading
from contextlib import closing
from typing import Final

import structlog
import uvicorn

from edge.desk import Desk
from edge.page.app import app_of
from edge.page.connections import Connection
from edge.page.page import Page, open_page
from edge.page.problem import PageError
from edge.page.settings import PageSettings
from edge.settings import EdgeSettings

_MOST_CONNECTIONS: Final = 64
"""At a time; each open page holds two."""

_LONGEST_HEAD: Final = 16_384
"""Bytes of a request's head."""

_GOODBYE_S: Final = 3
"""How long open requests may take to end once the page is stopped, in seconds."""

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
        scheme = "https" if page.settings.page.tls else "http"
        host, port = listening.getsockname()[:2]
        self.address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
        """What a browser on this machine opens."""

    def stop(self) -> None:
        """End all streams, let running requests end, give the port back."""
        self._page.close()
        self._server.should_exit = True
        self._thread.join(_GOODBYE_S + 5)
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
    config = _config(page)
    listening = _listen(settings.page)
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


def _config(page: Page) -> uvicorn.Config:
    settings = page.settings.page
    _logs_to_structlog()
    config = uvicorn.Config(
        app_of(page),
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would name what was looked at
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=[settings.trusted_proxy],
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GOODBYE_S,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        ssl_certfile=settings.cert_file,
        ssl_keyfile=settings.key_file,
    )
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise PageError(
            f"the page's certificate {settings.cert_file} and key {settings.key_file} do not load "
            f"({error}): they must be a pair in PEM, readable by this user, the key unencrypted"
        ) from error
    return config


def _listen(settings: PageSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
        listening.listen()
    except (OSError, UnicodeError) as error:
        with closing(listening):
            raise PageError(
                f"the page cannot listen on {settings.host} port {settings.port} ({error}): end "
                "the program that has it, or set page.host and page.port"
            ) from error
    return listening


class _ToStructlog(logging.Handler):
    """What uvicorn complains of, among our own events."""

    def emit(self, record: logging.LogRecord) -> None:
        """One event."""
        _log.warning("page_server", said=record.getMessage(), exc_info=record.exc_info)


def _logs_to_structlog() -> None:
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.WARNING)
    logger.handlers = [_ToStructlog()]
    logger.propagate = False
