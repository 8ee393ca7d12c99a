"""What it takes to serve a page: a socket, a certificate, uvicorn's complaints among our events."""

import logging
import socket
import ssl
from contextlib import closing
from typing import Final

import structlog
import uvicorn
from starlette.types import ASGIApp

from wire.web.connections import Connection
from wire.web.problem import PageError
from wire.web.settings import ServedSettings

GOODBYE_S: Final = 3
"""How long open requests may take to end once the page is stopped, in seconds."""

_LONGEST_HEAD: Final = 16_384
"""Bytes of a request's head."""

_log = structlog.get_logger("wire.web")


def server_config(app: ASGIApp, settings: ServedSettings, most_connections: int) -> uvicorn.Config:
    """Uvicorn's settings for a guarded page.

    Raises:
        PageError: the certificate does not load.
    """
    _logs_to_structlog()
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,  # it would name what was looked at
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=[settings.trusted_proxy],
        limit_concurrency=most_connections,
        timeout_graceful_shutdown=GOODBYE_S,
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


def listen(settings: ServedSettings) -> socket.socket:
    """Take the page's port.

    Raises:
        PageError: it is taken, or the address cannot be had.
    """
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


def address_of(listening: socket.socket, settings: ServedSettings) -> str:
    """What a browser on this machine opens."""
    scheme = "https" if settings.tls else "http"
    host, port = listening.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


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
