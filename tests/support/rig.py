"""A whole system of real parts for system tests: broker, store and worker, each killable."""

import asyncio
import getpass
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import obstore
import tomli_w

from cloud.settings import CloudSettings
from cloud.setup import set_up
from cloud.stores.objects import open_store
from deploy.local.broker import listens, start_broker
from deploy.local.children import Child, Children, wait_until
from deploy.local.home import Home
from deploy.local.store import answers, endpoint, start_store
from edge.settings import EdgeSettings
from wire import topics
from wire.codec import decode
from wire.connection import Callbacks, Connection, Publication
from wire.messages import FrameResult, Receipt

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")


def start_mosquitto(home: Home, children: Children) -> Child:
    """Debian's Mosquitto as it comes, but for address and file: it forgets a lot when killed."""
    assert MOSQUITTO
    config = home.broker / "mosquitto.conf"
    config.write_text(
        f"listener {home.ports['mqtt']} 127.0.0.1\nallow_anonymous true\n"
        f"persistence true\npersistence_location {home.broker}/\n"
        f"user {getpass.getuser()}\n"
    )
    child = children.start("broker", [MOSQUITTO, "-c", str(config)])
    wait_until(lambda: listens(home.ports["mqtt"]), children, "Mosquitto")
    return child


@dataclass
class Heard:
    """What came on the result and receipt topics."""

    receipts: list[Receipt] = field(default_factory=list)
    results: list[FrameResult] = field(default_factory=list)


class Rig:
    """Real parts under one roof; `close` leaves none behind."""

    def __init__(self, folder: Path, broker: str, **cloud: object) -> None:
        self.home = Home(folder)
        self.children = Children(self.home.logs)
        self.embedded = broker == "embedded"
        self._start_broker = start_broker if self.embedded else start_mosquitto
        self._cloud = cloud
        self.broker = self._start_broker(self.home, self.children)
        self.store = start_store(self.home, self.children)
        self._write_cloud_settings()
        set_up(self.cloud_settings.store, lambda _: None)
        self.worker = self.start_worker()

    # --- parts ---

    @property
    def broker_settings(self) -> dict[str, object]:
        common = {
            "port": self.home.ports["mqtt"],
            "reconnect_min_s": 0.1,
            "reconnect_max_s": 0.5,
            "max_payload_bytes": 250_000,
        }
        if not self.embedded:
            return common | {"protocol": "5"}
        keys = self.home.credentials
        return common | {
            "protocol": "3.1.1",
            "username": keys.broker_username,
            "password": keys.broker_password,
        }

    @property
    def cloud_settings(self) -> CloudSettings:
        return CloudSettings.load(self.home.cloud_settings_file)

    def edge_settings(self, **changes: object) -> EdgeSettings:
        values = {
            "site": "home",
            "device": "scope-1",
            "data_dir": self.home.station,
            "broker": self.broker_settings,
            "resend_after_s": 2.0,
            "resend_max_s": 8.0,
            "min_free_mb": 0,
        }
        return EdgeSettings(**(values | changes))

    def start_worker(self, *, wait: bool = True) -> Child:
        command = ["cloud", "worker", "--config", str(self.home.cloud_settings_file)]
        child = self.children.start("worker", [sys.executable, "-m", *command])
        self.worker = child
        if wait:
            self.wait_for_worker()
        return child

    def kill(self, child: Child) -> None:
        """Kill -9 and forget."""
        self.children._running.remove(child)
        child.process.kill()
        child.process.wait()

    def restart_worker(self) -> None:
        self.kill(self.worker)
        self.start_worker(wait=False)

    def wait_for_worker(self) -> None:
        """Until it is connected and its store answers."""
        health = f"http://127.0.0.1:{self.home.ports['health']}/healthz"
        wait_until(lambda: answers(health), self.children, "the worker", 30)

    def restart_broker(self) -> None:
        self.kill(self.broker)
        self.broker = self._start_broker(self.home, self.children)

    def stop_store(self) -> None:
        self.children._running.remove(self.store)
        self.store.process.terminate()
        self.store.process.wait()

    def start_store(self) -> None:
        self.store = start_store(self.home, self.children)

    def close(self) -> None:
        self.children.stop()
        self.home.close()

    # --- what can be seen from outside ---

    def keys(self, prefix: str) -> list[str]:
        async def every() -> list[str]:
            store = open_store(self.cloud_settings.store)
            return [item["path"] async for batch in obstore.list(store, prefix) for item in batch]

        return asyncio.run(every())

    def read(self, key: str) -> bytes:
        return bytes(obstore.get(open_store(self.cloud_settings.store), key).bytes())

    def connect(self, heard: Heard | None = None) -> Connection:
        """A program that listens to receipts and results, and can publish anything."""
        listener = heard if heard is not None else Heard()

        def arrived(delivery: object) -> None:
            if delivery.topic.endswith("/receipts"):
                listener.receipts.append(decode(delivery.payload, Receipt))
            else:
                listener.results.append(decode(delivery.payload, FrameResult))

        connection = Connection(
            self.cloud_settings.broker,
            f"listener-{time.monotonic_ns()}",
            subscriptions=[topics.all_results(), topics.device("home", "scope-1", "receipts")],
            callbacks=Callbacks(message=arrived),
            persistent=False,
        )
        connection.start()
        assert connection.wait_connected(10)
        time.sleep(0.3)  # the broker's answer to the subscription
        return connection

    def publish(self, connection: Connection, payload: bytes) -> None:
        connection.publish(Publication(topics.device("home", "scope-1", "frames"), payload))

    def _write_cloud_settings(self) -> None:
        keys = self.home.credentials
        settings = {
            "broker": self.broker_settings,
            "http_port": self.home.ports["health"],
            "retry_max_s": 1.0,
            "store": {
                "endpoint": endpoint(self.home),
                "access_key_id": keys.s3_access_key_id,
                "secret_access_key": keys.s3_secret_access_key,
            },
        }
        self.home.write_private(
            self.home.cloud_settings_file, tomli_w.dumps(settings | self._cloud)
        )


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)
