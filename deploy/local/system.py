"""Broker, store, worker, reading room and agent of one machine, up and ready."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import tomli_w
from uuid6 import uuid7

from cloud.settings import CloudSettings
from cloud.setup import set_up
from deploy.local.broker import start_broker
from deploy.local.children import Child, Children, python, wait_until
from deploy.local.home import Home
from deploy.local.reading import first_account, room_settings
from deploy.local.store import answers, endpoint, start_store
from edge.settings import EdgeSettings
from wire import topics
from wire.codec import decode
from wire.connection import Callbacks, Connection, Delivery
from wire.messages import DeviceStatus

SITE: Final = "home"
DEVICE: Final = "scope-1"
MODEL: Final = "leukoscope-acgan"
"""What `leukoscope-model export` calls its bundles: the worker follows it."""


class LocalSystem:
    """Starts the parts in order; `children` stops them.

    Args:
        home: the data folder.
        children: whose `with` block is open.
        said: told each step in a few words.
    """

    def __init__(self, home: Home, children: Children, said: Callable[[str], None]) -> None:
        self._home = home
        self._children = children
        self._said = said

    def start(self) -> None:
        """Start broker, store and worker, and wait until each is ready.

        Raises:
            ChildDiedError, TimeoutError, SetupError: what did not come up, and why.
        """
        self._said("starting the broker")
        start_broker(self._home, self._children)
        self._said("starting the store")
        start_store(self._home, self._children)
        self._write_settings()
        self._said("making the bucket")
        set_up(self.cloud_settings.store, lambda _sentence: None)
        self._said("starting the worker")
        self.start_worker()

    def start_worker(self) -> Child:
        """Start the worker and wait until it is connected and its store answers."""
        arguments = ["worker", "--config", str(self._home.cloud_settings_file)]
        child = self._children.start("worker", [*python("cloud"), *arguments])
        wait_until(lambda: answers(self.healthz), self._children, "the worker")
        return child

    def start_review(self) -> bool:
        """Start the reading room and wait until its page is shown.

        Returns:
            Whether the first account's password is the one that is kept in the data folder.

        Raises:
            ChildDiedError, TimeoutError, AccountsTroubleError: what did not come up, and why.
        """
        fits = first_account(self.cloud_settings, self._home.credentials)
        arguments = ["review", "--config", str(self._home.cloud_settings_file)]
        self._children.start("review", [*python("cloud"), *arguments])
        wait_until(lambda: answers(f"{self.reading_page}login"), self._children, "the reading page")
        return fits

    def start_agent(self) -> Child:
        """Start the microscope's agent; wait until it says that it is online and shows its page."""
        arguments = ["run", "--config", str(self._home.edge_settings_file)]
        started = datetime.now(UTC)
        child = self._children.start("agent", [*python("edge"), *arguments])
        online = threading.Event()

        def heard(delivery: Delivery) -> None:
            status = decode(delivery.payload, DeviceStatus)
            if status.state == "online" and status.at is not None and status.at >= started:
                online.set()

        listener = Connection(
            self.edge_settings.broker,
            f"leukoscope-up-{uuid7()}",
            subscriptions=[topics.device(SITE, DEVICE, "status")],
            callbacks=Callbacks(message=heard),
            persistent=False,
        )
        listener.start()
        try:
            wait_until(online.is_set, self._children, "the agent")
            wait_until(lambda: answers(self.page), self._children, "the capture page")
        finally:
            listener.stop()
        return child

    @property
    def healthz(self) -> str:
        """URL of the worker's health."""
        return f"http://127.0.0.1:{self._home.ports['health']}/healthz"

    @property
    def page(self) -> str:
        """URL of the capture page."""
        return f"http://127.0.0.1:{self._home.ports['page']}/"

    @property
    def reading_page(self) -> str:
        """URL of the reading room."""
        return f"http://127.0.0.1:{self._home.ports['review']}/"

    @property
    def cloud_settings(self) -> CloudSettings:
        """As the worker reads them."""
        return CloudSettings.load(self._home.cloud_settings_file)

    @property
    def edge_settings(self) -> EdgeSettings:
        """As the agent reads them."""
        return EdgeSettings.load(self._home.edge_settings_file)

    def _write_settings(self) -> None:
        broker, store = self._broker(), self._store()
        self._write(
            self._home.cloud_settings_file,
            {
                "broker": broker,
                "site": SITE,
                "http_port": self._home.ports["health"],
                "model": MODEL,
                "model_poll_s": 2.0,  # its store is its own, and somebody waits to see it
                "model_cache": str(self._home.models),
                "trusted_keys": [str(self._home.trusted_keys)],
                "store": store,
                **room_settings(self._home),
            },
        )
        self._write(self._home.model_settings_file, {"store": store})
        self._write(
            self._home.edge_settings_file,
            {
                "site": SITE,
                "device": DEVICE,
                "camera": "simulator",
                "stage": "simulator",
                "data_dir": str(self._home.station),
                "broker": broker,
                "page": {"port": self._home.ports["page"]},
            },
        )

    def _store(self) -> dict[str, Any]:
        keys = self._home.credentials
        return {
            "endpoint": endpoint(self._home),
            "access_key_id": keys.s3_access_key_id,
            "secret_access_key": keys.s3_secret_access_key,
        }

    def _broker(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self._home.ports["mqtt"],
            "protocol": "3.1.1",
            "username": self._home.credentials.broker_username,
            "password": self._home.credentials.broker_password,
            "reconnect_max_s": 5.0,
        }

    def _write(self, file: Path, settings: dict[str, Any]) -> None:
        header = "# written at every start; holds credentials, keep it private\n"
        self._home.write_private(file, header + tomli_w.dumps(settings))
