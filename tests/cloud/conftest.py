"""A real store and a real broker for the whole session, and a worker in this process."""

import asyncio
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import paho.mqtt.client as paho
import pytest
from bundles import signing_keys
from postgres import postgres_server
from rig import until
from uuid6 import uuid7

from cloud.classifier import Classifier
from cloud.settings import CloudSettings, StoreSettings
from cloud.setup import open_client, set_up
from cloud.stores.objects import Objects, open_store
from cloud.worker.service import Worker
from deploy.local.broker import start_broker
from deploy.local.children import Children
from deploy.local.home import Home
from deploy.local.store import endpoint, start_store


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Broker and store, running."""
    opened = Home(tmp_path_factory.mktemp("cloud") / "home")
    with Children(opened.logs) as children:
        start_broker(opened, children)
        store = start_store(opened, children)
        yield opened
        store.process.kill()  # nobody reads it again, and stopping takes it seconds
    opened.close()


@pytest.fixture(scope="session")
def postgres():
    """URL of a PostgreSQL of our own; skips without one, and fails without one in CI."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def store(home):
    """Settings of a bucket of this test's own, set up."""
    keys = home.credentials
    settings = StoreSettings(
        bucket=f"t-{uuid7().hex[-12:]}",
        endpoint=endpoint(home),
        access_key_id=keys.s3_access_key_id,
        secret_access_key=keys.s3_secret_access_key,
    )
    set_up(settings, lambda _: None)
    yield settings
    client = open_client(settings)
    client.delete_bucket(Bucket=settings.bucket)  # the store has room for some dozens only
    client.close()


@pytest.fixture
def objects(store):
    """The worker's own way to the bucket."""
    return Objects(open_store(store), 0.2, lambda _: None)


@pytest.fixture(scope="session")
def classifier():
    """The shipped bundle."""
    return Classifier()


@pytest.fixture
def cloud_settings(home, store):
    """Of a worker at these parts; every test has its own site, so none hears another's frames."""
    keys = home.credentials
    return CloudSettings(
        broker={
            "port": home.ports["mqtt"],
            "protocol": "3.1.1",
            "username": keys.broker_username,
            "password": keys.broker_password,
            "reconnect_min_s": 0.1,
            "reconnect_max_s": 0.3,
        },
        store=store,
        name=store.bucket,
        site=store.bucket,
        http_port=0,
        retry_max_s=0.2,
        drain_s=5,
        trusted_keys=(signing_keys().public,),
    )


@dataclass
class Served:
    """A worker in this process, on a thread of its own."""

    worker: Worker
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event
    thread: threading.Thread

    def end(self, seconds: float = 15) -> None:
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join(seconds)
        assert not self.thread.is_alive(), "the worker did not stop"


@contextmanager
def _serving(settings, *, connected=True):
    started = threading.Event()
    held = []

    async def serve() -> None:
        stop = asyncio.Event()
        worker = Worker(settings)
        held.append(Served(worker, asyncio.get_running_loop(), stop, threading.current_thread()))
        started.set()
        await worker.run(stop)

    threading.Thread(target=lambda: asyncio.run(serve())).start()
    assert started.wait(20)
    served = held[0]
    try:
        if connected:
            until(lambda: served.worker._health.report()[0], 20, "the worker is well")
            # Of a first session, a broker drops what comes before it has the subscription.
            until(lambda: served.worker._connection.listening, 20, "the worker listens")
        yield served
    finally:
        if served.thread.is_alive():
            served.end()


@pytest.fixture
def serving():
    """`with serving(settings) as served:` runs a worker; `connected=False` does not wait for it."""
    return _serving


@pytest.fixture
def station(home):
    """A plain MQTT client, as a station or a stranger would be: publishes bytes, keeps answers."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"station-{uuid7().hex[-8:]}")
    client.username_pw_set(home.credentials.broker_username, home.credentials.broker_password)
    client.heard = []
    client.on_message = lambda _c, _d, message: client.heard.append(message)
    client.connect("127.0.0.1", home.ports["mqtt"])
    client.loop_start()
    until(client.is_connected, 10, "the station is connected")
    yield client
    client.disconnect()
    client.loop_stop()
