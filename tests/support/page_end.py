"""A browser's end of the capture page, without a browser."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from edge.desk import Desk
from edge.page.server import Server, serve
from edge.settings import EdgeSettings

PASSWORD = "seven stained smears"  # noqa: S105  # of a page that lives for a test


def page_settings(folder, **page: object) -> EdgeSettings:
    """A station's settings with the page on any free port."""
    return EdgeSettings(
        site="home", device="scope-1", data_dir=folder, min_free_mb=0, page={"port": 0} | page
    )


@contextmanager
def page_of(desk: Desk, settings: EdgeSettings) -> Iterator[Server]:
    """The page, served for real."""
    server = serve(desk, settings)
    try:
        yield server
    finally:
        server.stop()


class Browser:
    """Keeps its cookie, sends its token, as htmx does."""

    def __init__(self, address: str, **more: object) -> None:
        self.address = address
        # No certificates are read where none are needed: that takes longer than most tests.
        self.http = httpx.Client(base_url=address, timeout=10, **({"verify": False} | more))
        self.csrf = ""

    def open(self, path: str = "/") -> httpx.Response:
        """Load a page, and remember its token."""
        answer = self.http.get(path)
        found = re.search(r'X-CSRF-Token": "([\w-]+)"|name="csrf" value="([\w-]+)"', answer.text)
        if found:
            self.csrf = found[1] or found[2]
        return answer

    def press(self, path: str, headers: dict[str, str] | None = None, **form: object):
        """A press of a button, through htmx."""
        sent = {"HX-Request": "true", "X-CSRF-Token": self.csrf, "Origin": self.address}
        return self.http.post(path, data=form, headers=sent | (headers or {}))

    def sign_in(self, password: str = PASSWORD) -> httpx.Response:
        """Send the form of the login page, and load the page."""
        self.open("/login")
        sent = {"password": password, "csrf": self.csrf}
        answer = self.http.post("/login", data=sent, headers={"Origin": self.address})
        if answer.status_code == 303:
            self.open()
        return answer

    def close(self) -> None:
        self.http.close()


def events(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Server-sent events, taken apart: name and data."""
    name, data = "", []
    for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and name:
            yield name, "\n".join(data)
            name, data = "", []
