"""A database of accounts, a push service that is one, and a clock that is set by hand."""

import asyncio
import shutil

import pytest
from push_service import push_service

from cloud.accounts.database import Database
from cloud.accounts.people import Accounts
from cloud.accounts.tables import metadata as accounts_tables
from cloud.push.devices import Devices
from cloud.push.keys import new_push_key, public_part
from cloud.push.post import Post
from cloud.push.push import Push
from cloud.push.tables import metadata as push_tables

START = 1_800_000_000.0


class Clock:
    def __init__(self):
        self.now = START

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def add_people(database):
    for name, role in (("ada", "reader"), ("grace", "lead"), ("root", "admin")):
        Accounts(database).add(name, role, oidc=("https://id.example", name))
    Devices(database, "")


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    """A file with three accounts: made once, for making tables waits for the disk."""
    file = tmp_path_factory.mktemp("people") / "accounts.sqlite"
    opened = Database(f"sqlite:///{file}")
    add_people(opened)
    opened.close()
    return file


@pytest.fixture
def database(request, people, tmp_path):
    """With three accounts; in PostgreSQL where a test asks for that."""
    if getattr(request, "param", "sqlite") == "sqlite":
        opened = Database(f"sqlite:///{shutil.copy(people, tmp_path)}")
        yield opened
        opened.close()
        return
    opened = Database(f"{request.getfixturevalue('postgres')}/postgres")
    add_people(opened)
    yield opened
    for metadata in (push_tables, accounts_tables):
        metadata.drop_all(opened.engine)
    opened.close()


@pytest.fixture
def accounts(database):
    return Accounts(database)


@pytest.fixture
def service(monkeypatch, tmp_path):
    with push_service(monkeypatch, tmp_path) as serving:
        yield serving


@pytest.fixture
def key(tmp_path):
    return new_push_key(tmp_path / "push.pem")


@pytest.fixture
def push(database, key, clock):
    """Told at most once in ten minutes."""
    return Push(
        Devices(database, public_part(key)),
        Post(key, "mailto:it@lab.example", private=True),
        public_part(key),
        services=("localhost",),
        every_s=600,
        private=True,
        clock=clock,
    )


@pytest.fixture
def rounds(push):
    """Sends all that is due, as `keep` does."""

    async def one():
        async with push._post:
            return await push._round()

    return lambda: asyncio.run(one())
