"""A reader's end of a running reading room, without a browser."""

import re
import threading
from collections.abc import Callable

import httpx
from page_end import events


class ReaderEnd:
    """Keeps its cookie, sends its token, as the page's scripts do. Everything answered is kept."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        # No certificates are read where none are needed.
        self.http = httpx.Client(base_url=self.address, timeout=30, verify=False)  # noqa: S501  # 127.0.0.1
        self.csrf = ""
        self.answers: list[bytes] = []
        """Heads and bodies of every answer."""

    def sign_in(self, name: str, password: str) -> httpx.Response:
        """Through the form of the login page; then the token is that of the new session."""
        self.get("/login")
        form = {"name": name, "password": password, "csrf": self.csrf}
        answer = self._kept(self.http.post("/login", data=form, headers=self._headers()))
        if answer.status_code == 303:
            self.get(answer.headers["location"])
        return answer

    def get(self, path: str, **headers: str) -> httpx.Response:
        answer = self._kept(self.http.get(path, headers=headers))
        found = re.search(r'X-CSRF-Token": "([\w-]+)"|name="csrf" value="([\w-]+)"', answer.text)
        if found:
            self.csrf = found[1] or found[2]
        return answer

    def press(self, path: str, json: object = None, **form: object) -> httpx.Response:
        """A press of a button: a form, or JSON."""
        body = {"data": form} if json is None else {"json": json}
        return self._kept(self.http.post(path, headers=self._headers(), **body))

    def watch(self, path: str, heard: Callable[[str, str], None]) -> None:
        """Read a stream of events on a thread, until the room or this end closes."""

        def read() -> None:
            try:
                with self.http.stream("GET", path, timeout=None) as stream:  # it ends with the room
                    for name, data in events(stream.iter_lines()):
                        heard(name, data)
            except (httpx.HTTPError, httpx.StreamError, RuntimeError):
                return  # the room or this test has ended

        threading.Thread(target=read, daemon=True).start()

    def close(self) -> None:
        self.http.close()

    def _headers(self) -> dict[str, str]:
        return {"HX-Request": "true", "X-CSRF-Token": self.csrf, "Origin": self.address}

    def _kept(self, answer: httpx.Response) -> httpx.Response:
        self.answers += [str(answer.headers).encode(), answer.content]
        return answer
