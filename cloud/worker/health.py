"""`/healthz` and `/metrics` on a loopback port."""

import json
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

_log = structlog.get_logger("cloud.worker.health")


class Health:
    """What the worker knows of the parts it stands on."""

    def __init__(self, model: str) -> None:
        self._lock = threading.Lock()
        self._troubles: dict[str, str] = {
            "broker": "not yet connected",
            "store": "not yet asked",
        }
        self._warnings: dict[str, str] = {}
        self._model = model
        self._swaps = 0

    def set(self, part: str, trouble: str | None) -> None:
        """Note that `part` (`broker` or `store`) works (None), or why it does not."""
        with self._lock:
            before = self._troubles.get(part)
            if trouble is None:
                self._troubles.pop(part, None)
            else:
                self._troubles[part] = trouble
        if (before is None) != (trouble is None):
            level = _log.info if trouble is None else _log.warning
            level("part_works" if trouble is None else "part_fails", part=part, trouble=trouble)

    def warn(self, part: str, warning: str | None) -> None:
        """Note what an operator should look into though every frame comes to its end, or None."""
        with self._lock:
            if warning is None:
                self._warnings.pop(part, None)
            else:
                self._warnings[part] = warning

    def model(self, model: str, *, swapped: bool) -> None:
        """Note which model is live, and whether it has just taken another's place."""
        with self._lock:
            self._model = model
            self._swaps += swapped

    def report(self) -> tuple[bool, dict[str, object]]:
        """Whether all is well, and the report as `/healthz` gives it."""
        with self._lock:
            troubles = dict(self._troubles)
            return not troubles, {
                "ok": not troubles,
                "troubles": troubles,
                "warnings": dict(self._warnings),
                "model": self._model,
                "swaps": self._swaps,
            }


def serve(
    host: str, port: int, registry: CollectorRegistry, report: Callable[[], tuple[bool, object]]
) -> ThreadingHTTPServer:
    """Serve until `shutdown` and `server_close` are called on what is returned.

    Raises:
        OSError: the address cannot be had.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's name
            if self.path == "/healthz":
                well, body = report()
                status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
                self._answer(status, "application/json", json.dumps(body).encode())
            elif self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"try /healthz or /metrics\n")

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay silent: a scrape every few seconds is no event."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise OSError(
            f"cannot serve /healthz on {host}:{port} ({error.strerror}): "
            "set http_host and http_port, or http_port = 0 for none"
        ) from error
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server
