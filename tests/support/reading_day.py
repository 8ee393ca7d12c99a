"""A day in a whole system: a slide is captured at the station and signed in the reading room."""

import asyncio
import threading
import tomllib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import obstore
import tomli_w
from page_end import Browser
from rig import until
from room_end import ReaderEnd
from uuid6 import uuid7

from cloud.stores.objects import open_store
from deploy.local.children import Child, Children
from deploy.local.home import Home
from deploy.local.store import start_store
from deploy.local.system import SITE, LocalSystem
from edge.identity import slide_key, slide_token
from wire import topics
from wire.connection import Callbacks, Connection, Delivery

CAMERA = "simulator:7:ALL"
"""A smear with blasts, so that its slide is urgent."""


@dataclass
class Heard:
    """Every message of the broker."""

    messages: list[tuple[str, bytes]] = field(default_factory=list)

    def on(self, topic: str) -> list[bytes]:
        return [payload for name, payload in list(self.messages) if name == topic]


class Day:
    """Broker, store, worker, reading room and agent, all real, and a person at each end."""

    def __init__(self, home: Home, children: Children, **cloud: object) -> None:
        self.home = home
        self.children = children
        self.said: list[str] = []
        self.system = LocalSystem(home, children, self.said.append)
        self.system.start()
        self._change(home.cloud_settings_file, cloud)
        self._change(home.edge_settings_file, {"camera": CAMERA, "burst": 1})
        self.system.start_review()
        self.system.start_agent()
        self.heard, self._listener = self._listen(f"{topics.ROOT}/#")
        self.station = Browser(self.system.page)
        self.station.http.timeout = 60  # a picture of the simulator, on a busy machine
        self.station.open()
        self.reader = ReaderEnd(self.system.reading_page)
        keys = home.credentials
        assert self.reader.sign_in(keys.reader_name, keys.reader_password).status_code == 303
        self.events: list[tuple[str, str]] = []
        self._event = threading.Condition()

    # --- at the station ---

    def begin(self, accession: str) -> str:
        """A new slide under the lens; its token."""
        self.station.open()
        if self.station.http.get("/api/state").json()["slide"]:
            self.station.press("/slide/end").raise_for_status()
        self.station.press("/slide/start", accession=accession).raise_for_status()
        return slide_token(accession, slide_key(self.system.edge_settings.slide_key_file))

    def capture(self) -> None:
        self.station.press("/capture").raise_for_status()

    # --- in the reading room ---

    def watch(self, path: str) -> None:
        def heard(name: str, data: str) -> None:
            with self._event:
                self.events.append((name, data))
                self._event.notify_all()

        self.reader.watch(path, heard)

    def saw(self, words: str, within_s: float = 30) -> bool:
        """Whether an event brings these words."""
        with self._event:
            return self._event.wait_for(
                lambda: any(words in data for _, data in self.events), within_s
            )

    def slide(self, token: str) -> dict:
        return self.reader.get(f"/api/slides/{SITE}/{token}").json()

    def has_fields(self, token: str, count: int) -> None:
        """Wait until the reading room knows of so many."""
        until(lambda: len(self.slide(token).get("fields", ())) == count, 60, f"{count} fields")

    def act(self, token: str, what: str, **form: object):
        """With all before one's eyes that there is."""
        now = self.slide(token)
        screen = {"number": now["number"], "shown": now["shown"]}
        return self.reader.press(f"/slides/{SITE}/{token}/{what}", **screen, **form)

    def look_through(self, token: str) -> None:
        """See each flagged cell, and say that the unidentified ones may stay so."""
        cells = self.slide(token)["cells"]
        flagged = [cell["name"] for cell in cells if cell["machine"] in ("ALL", "AML")]
        assert flagged, "a smear of blasts has some"
        assert self.act(token, "see", cells=" ".join(flagged)).is_success
        if any(cell["machine"] == "unidentified" for cell in cells):
            assert self.act(token, "waive", reason="too few to matter").is_success

    # --- what can be seen from outside ---

    def kept(self) -> dict[str, bytes]:
        """The whole bucket."""

        async def every() -> dict[str, bytes]:
            store = open_store(self.system.cloud_settings.store)
            found = {}
            async for batch in obstore.list(store, ""):
                for item in batch:
                    data = await obstore.get_async(store, item["path"])
                    found[item["path"]] = bytes(await data.bytes_async())
            return found

        return asyncio.run(every())

    def retained(self, token: str) -> list[bytes]:
        """What a newcomer hears of a slide."""
        heard, listener = self._listen(topics.slides(SITE, token))
        until(lambda: heard.messages, 10, "the retained message")
        listener.stop()
        return heard.on(topics.slides(SITE, token))

    def kill_store(self) -> None:
        child = self.child("store")
        self.children._running.remove(child)
        child.process.kill()
        child.process.wait()

    def start_store(self) -> None:
        start_store(self.home, self.children)

    def child(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def close(self) -> None:
        self.reader.close()
        self.station.close()
        self._listener.stop()

    # --- parts ---

    def _listen(self, topic: str) -> tuple[Heard, Connection]:
        heard = Heard()

        def arrived(delivery: Delivery) -> None:
            heard.messages.append((delivery.topic, delivery.payload))

        connection = Connection(
            self.system.cloud_settings.broker,
            f"day-{uuid7()}",
            subscriptions=[topic],
            callbacks=Callbacks(message=arrived),
            persistent=False,
        )
        connection.start()
        assert connection.wait_connected(10)
        return heard, connection

    def _change(self, file: Path, settings: dict[str, object]) -> None:
        self.home.write_private(file, tomli_w.dumps(tomllib.loads(file.read_text()) | settings))


@contextmanager
def reading_day(folder: Path, **cloud: object) -> Iterator[Day]:
    """All parts are up within; `cloud` adds to the reading room's settings."""
    home = Home(folder)
    try:
        with Children(home.logs) as children, closing(Day(home, children, **cloud)) as day:
            yield day
    finally:
        home.close()
