"""Mosquitto in a test's own folder, and a connection that remembers what it was told."""

import getpass
import os
import random
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rig import MOSQUITTO, until

from deploy.local.broker import listens
from wire.broker import BrokerSettings
from wire.connection import Callbacks, Connection, Delivery, Publication


class Mosquitto:
    """One broker on 127.0.0.1, killable; started again it has its port and its folder again.

    `lines` are added to its configuration; without `allow_anonymous` in them, anybody may connect.
    """

    def __init__(self, folder: Path, *lines: str) -> None:
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        if not any(line.startswith("allow_anonymous") for line in lines):
            lines = ("allow_anonymous true", *lines)
        # Not 0, "no limit": Mosquitto 2.0.11 then drops a client at a publish that it denies.
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nuser {getpass.getuser()}\n"
            "max_queued_messages 100000\n" + "".join(f"{line}\n" for line in lines)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert MOSQUITTO
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self._config)], stdout=log, stderr=log
            )
        until(self._ready, 10, f"Mosquitto listens:\n{self._log.read_text()}")

    def kill(self) -> None:
        """Kill -9: no goodbye to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def settings(self, **changes: object) -> BrokerSettings:
        values = {"port": self.port, "reconnect_min_s": 0.1, "reconnect_max_s": 0.4}
        return BrokerSettings(**(values | changes))

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        return listens(self.port)


@contextmanager
def mosquitto(folder: Path, *lines: str) -> Iterator[Mosquitto]:
    """A running Mosquitto; without it installed the test skips, and fails in CI."""
    need_mosquitto()
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, *lines)
    try:
        broker.start()
        yield broker
    finally:
        broker.kill()


def need_mosquitto() -> None:
    """Skip the test where Mosquitto is not installed; fail it in CI."""
    if MOSQUITTO is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must have Mosquitto")
        pytest.skip("Mosquitto is not installed (apt install mosquitto)")


def password_file(folder: Path, username: str, password: str) -> Path:
    """A file for `password_file` in Mosquitto's configuration."""
    need_mosquitto()
    file = folder / "passwords"
    command = shutil.which("mosquitto_passwd")
    assert command is not None, "Mosquitto is here, but not its mosquitto_passwd"
    subprocess.run([command, "-c", "-b", str(file), username, password], check=True)
    return file


class Client:
    """A connection, and everything that its callbacks were told."""

    def __init__(self, settings: BrokerSettings, client_id: str, **options: object) -> None:
        self.heard: list[Delivery] = []
        self.states: list[tuple[bool, str]] = []
        self.refusals: list[tuple[str, str]] = []
        self.resumed: list[bool] = []
        self.connection = Connection(
            settings,
            client_id,
            callbacks=Callbacks(
                self.heard.append,
                lambda connected, reason: self.states.append((connected, reason)),
                lambda topic, reason: self.refusals.append((topic, reason)),
                self.resumed.append,
            ),
            **options,
        )

    @property
    def payloads(self) -> list[bytes]:
        return [delivery.payload for delivery in self.heard]

    def start(self) -> "Client":
        self.connection.start()
        assert self.connection.wait_connected(10), self.states
        return self

    def listen(self, topic: str) -> "Client":
        """Start, and wait until the broker surely has the subscription: hear a word of our own."""
        self.start()
        self.say(topic, b"listening")
        until(lambda: b"listening" in self.payloads, 10, f"the broker delivers {topic}")
        self.heard.clear()
        return self

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self.connection.publish(Publication(topic, payload, retain))

    def why_not(self) -> str:
        """Start a connection that must fail, and return what it says of it."""
        self.connection.start()
        until(lambda: bool(self.states), 10, "the connection says something")
        connected, reason = self.states[0]
        assert not connected
        assert not self.connection.connected
        return reason


@contextmanager
def clients() -> Iterator[Callable[..., Client]]:
    """Makes clients, and stops them all."""
    made: list[Client] = []

    def make(settings: BrokerSettings, client_id: str, **options: object) -> Client:
        made.append(Client(settings, client_id, **options))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            stop_in_time(one.connection)


def stop_in_time(connection: Connection) -> None:
    """Stop, or fail: a connection that hangs must not hang the tests."""
    stopping = threading.Thread(target=connection.stop, daemon=True)
    stopping.start()
    stopping.join(15)
    assert not stopping.is_alive(), "the connection does not stop"


def free_port() -> int:
    """A port below those that the system gives to outgoing connections."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")
