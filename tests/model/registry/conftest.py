"""A real store for the room's tests, a bucket for each, and bundles to put there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bundles import renamed_bundle
from uuid6 import uuid7

from cloud.settings import StoreSettings
from cloud.setup import open_client, set_up
from deploy.local.children import Children
from deploy.local.home import Home
from deploy.local.store import endpoint, start_store
from model.registry.bucket import Bucket
from wire.store import BucketSettings

NAME = "acgan"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A store, running."""
    opened = Home(tmp_path_factory.mktemp("registry") / "home")
    with Children(opened.logs) as children:
        store = start_store(opened, children)
        yield opened
        store.process.kill()  # nobody reads it again, and stopping takes it seconds
    opened.close()


@pytest.fixture
def settings(home: Home) -> Iterator[BucketSettings]:
    """Of a bucket of this test's own."""
    mine = StoreSettings(
        bucket=f"t-{uuid7().hex[-12:]}",
        endpoint=endpoint(home),
        access_key_id=home.credentials.s3_access_key_id,
        secret_access_key=home.credentials.s3_secret_access_key,
    )
    set_up(mine, lambda _: None)
    yield mine
    client = open_client(mine)
    client.delete_bucket(Bucket=mine.bucket)  # the store has room for some dozens only
    client.close()


@pytest.fixture
def bucket(settings: BucketSettings) -> Iterator[Bucket]:
    with Bucket(settings) as opened:
        yield opened


@pytest.fixture
def bundle(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a bundle of a version: the shipped one, renamed."""
    return lambda version: renamed_bundle(tmp_path / version, NAME, version)
