"""A strict receiver of FHIR transactions, that also fails as it is told.

It is no FHIR server (tests/bench/fhir_trial.py tries one): it takes a whole bundle or none of it,
holds every resource against fhir.resources, wants each PUT where it belongs and each reference to
lead somewhere, and keeps every version.
"""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError


def outcome(code, text):
    """An OperationOutcome with an error."""
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class Answer:
    """One that is given instead of the right one."""

    def __init__(self, status, body=b"", *, after_s=0.0, taken=False, **headers):
        self.status, self.headers = status, {k.replace("_", "-"): v for k, v in headers.items()}
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.after_s, self.taken = after_s, taken


DROP = Answer(0)
"""The connection ends without an answer."""


class Receiver:
    def __init__(self):
        self.versions = {}  # by "Type/id", oldest first
        self.told = []  # answers to come before the right ones
        self.asked = []  # (time, headers) of each request
        self.statuses = []  # of the DiagnosticReports that were taken, in order
        self.wanted = None  # Authorization header
        self._lock = threading.Lock()

    def answer(self, path, headers, body):
        with self._lock:
            self.asked.append((time.monotonic(), headers))
            told = self.told.pop(0) if self.told else None
        if told is None:
            return self._right(path, headers, body)
        if told.taken:
            self._right(path, headers, body)
        time.sleep(told.after_s)
        return told.status, told.headers, told.body

    def _right(self, path, headers, body):
        if self.wanted is not None and headers.get("authorization") != self.wanted:
            return _json(401, outcome("login", "who are you?"))
        if path != "/R4/":
            return 404, {}, b"<html>not here</html>"
        if headers.get("content-type") != "application/fhir+json":
            return _json(415, outcome("invalid", "send FHIR"))
        try:
            taken = _taken(json.loads(body))
        except (ValueError, ValidationError, KeyError) as error:
            return _json(400, outcome("structure", str(error)))
        with self._lock:
            entries = [self._put(url, resource) for url, resource in taken]
        said = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
        return _json(200, said)

    def _put(self, url, resource):
        kept = self.versions.setdefault(url, [])
        kept.append(resource)
        if resource["resourceType"] == "DiagnosticReport":
            self.statuses.append(resource["status"])
        new = len(kept) == 1
        location = f"{url}/_history/{len(kept)}"
        return {"response": {"status": "201 Created" if new else "200 OK", "location": location}}

    def reports(self):
        """The DiagnosticReports as they stand now."""
        return [v[-1] for url, v in self.versions.items() if url.startswith("DiagnosticReport/")]


def _taken(bundle):
    get_fhir_model_class("Bundle").model_validate(bundle)
    if bundle["type"] != "transaction":
        raise ValueError("no transaction")
    here = {entry["fullUrl"] for entry in bundle["entry"]}
    taken = []
    for entry in bundle["entry"]:
        resource = entry["resource"]
        url = f"{resource['resourceType']}/{resource['id']}"
        if entry["request"] != {"method": "PUT", "url": url}:
            raise ValueError(f"{url} is not put where it belongs")
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        for reference in _references(resource):
            if reference not in here:
                raise ValueError(f"{url} refers to {reference}, which is not here")
        taken.append((url, resource))
    return taken


def _references(part):
    if isinstance(part, dict):
        if isinstance(part.get("reference"), str):
            yield part["reference"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from _references(one)


def _json(status, body):
    return status, {"Content-Type": "application/fhir+json"}, json.dumps(body).encode()


@contextmanager
def receiving(context=None):
    """A receiver on a port of its own; gives it and its base address. `context` for TLS."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, data = receiver.answer(self.path, headers, body)
            if status == 0:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Stay silent."""

        def handle(self):
            try:
                super().handle()
            except (ConnectionError, ValueError):
                self.close_connection = True  # the other end, or we, let it go

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scheme = "http"
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield receiver, f"{scheme}://127.0.0.1:{server.server_address[1]}/R4"
    finally:
        server.shutdown()
        server.server_close()
