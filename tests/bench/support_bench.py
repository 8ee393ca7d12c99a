"""The real parts of the bench: broker, store, a slow way to the store, one subject at a time."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w
from rig import start_mosquitto
from support_drive import Driver

from cloud.classifier import SHIPPED_BUNDLE
from cloud.settings import CloudSettings
from cloud.setup import set_up
from deploy.local.broker import listens, start_broker
from deploy.local.children import Child, Children, wait_until
from deploy.local.home import Home
from deploy.local.store import answers, endpoint, start_store
from wire.messages import Frame

HERE = Path(__file__).resolve().parent


class Bench:
    """`start` starts the parts; `close` leaves none behind.

    Args:
        folder: for the state of broker and store.
        embedded: nats-server in place of Mosquitto.
        delay_ms: what a request takes over the slow way.
    """

    def __init__(self, folder: Path, *, embedded: bool, delay_ms: float) -> None:
        self.home = Home(folder)
        self.children = Children(self.home.logs)
        self.embedded = embedded
        self._delay_ms = delay_ms
        self._slow_port = _free_port()
        self._slow_report = self.home.folder / "slow.json"
        self._watched: dict[str, Child] = {}
        self._sites = 0

    def start(self) -> None:
        """Start what all subjects share, and make the bucket."""
        start = start_broker if self.embedded else start_mosquitto
        self._watched["broker"] = start(self.home, self.children)
        self._watched["store"] = start_store(self.home, self.children)
        ports = str(self._slow_port), str(self.home.ports["s3"])
        delay = str(self._delay_ms), str(self._slow_report)
        self._watched["slow"] = self._script("slow", "support_delay.py", *ports, *delay)
        wait_until(lambda: listens(self._slow_port), self.children, "the slow store")
        set_up(self._cloud("setup", "plain").store, lambda _: None)

    def close(self) -> dict[str, Any]:
        """Stop everything; what the slow store has to say."""
        self.children.stop()
        self.home.close()
        said = self._slow_report
        return json.loads(said.read_text()) if said.exists() else {}

    @contextmanager
    def subject(self, kind: str, store: str, extra: dict[str, int]) -> Iterator[tuple[Child, str]]:
        """Start one, ready for frames of a site of its own; stop it afterwards."""
        site = self.new_site()
        if kind == "worker":
            self._cloud(site, store)
            file = str(self.home.cloud_settings_file)
            child = self.children.start(
                site, [sys.executable, "-m", "cloud", "worker", "--config", file]
            )
            health = f"http://127.0.0.1:{self.home.ports['health']}/healthz"
            wait_until(lambda: answers(health), self.children, "the worker", 60)
        else:
            child = self._script(
                site, "support_rivals.py", kind, str(self.config(site, store, extra))
            )
            wait_until(lambda: "ready" in child.log.read_text(), self.children, kind, 60)
        try:
            yield child, site
        finally:
            self.stop(child)

    def stop(self, child: Child) -> None:
        """End one child and forget it."""
        self.children._running.remove(child)
        child.process.terminate()
        try:
            child.process.wait(15)
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()

    def new_site(self) -> str:
        """A site that no run had before: what other runs left at the broker stays out of it."""
        self._sites += 1
        return f"bench-{self._sites}"

    def driver(self, site: str, bases: list[Frame], *, named: bool = True) -> Driver:
        """Stations of a site."""
        keys = self.home.credentials
        login = (keys.broker_username, keys.broker_password) if self.embedded else None
        return Driver(self.home.ports["mqtt"], login, site, bases, named=named)

    def pids(self, subject: Child) -> dict[str, int]:
        """Processes to watch."""
        return {"subject": subject.pid} | {n: child.pid for n, child in self._watched.items()}

    def config(self, site: str, store: str, extra: dict[str, int]) -> Path:
        """What a script needs to know, as a private file."""
        keys, file = self.home.credentials, self.home.folder / f"{site}.json"
        values = extra | {
            "site": site,
            "port": self.home.ports["mqtt"],
            "username": keys.broker_username if self.embedded else None,
            "password": keys.broker_password if self.embedded else None,
            "bundle": str(SHIPPED_BUNDLE),
        }
        self.home.write_private(
            file, json.dumps(values | self._store(store) | {"bucket": "leukoscope"})
        )
        return file

    def _store(self, store: str) -> dict[str, str]:
        keys = self.home.credentials
        slow = f"http://127.0.0.1:{self._slow_port}"
        return {
            "endpoint": slow if store == "slow" else endpoint(self.home),
            "access_key_id": keys.s3_access_key_id,
            "secret_access_key": keys.s3_secret_access_key,
        }

    def _cloud(self, site: str, store: str) -> CloudSettings:
        """The worker's settings: defaults, but for where things are."""
        keys = self.home.credentials
        broker: dict[str, Any] = {"port": self.home.ports["mqtt"]}
        if self.embedded:
            broker |= {"protocol": "3.1.1", "username": keys.broker_username}
            broker |= {"password": keys.broker_password}
        settings = {
            "broker": broker,
            "name": site,
            "site": site,
            "http_port": self.home.ports["health"],
            "store": self._store(store),
        }
        self.home.write_private(self.home.cloud_settings_file, tomli_w.dumps(settings))
        return CloudSettings.load(self.home.cloud_settings_file)

    def _script(self, name: str, script: str, *arguments: str) -> Child:
        return self.children.start(name, [sys.executable, str(HERE / script), *arguments])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
