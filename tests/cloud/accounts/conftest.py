"""Accounts in SQLite, and in a PostgreSQL of this session where one is installed."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import sqlalchemy as sa
import structlog
from argon2 import PasswordHasher

from cloud.accounts.audit import Audit
from cloud.accounts.database import Database
from cloud.accounts.people import Accounts
from cloud.accounts.sessions import Sessions
from cloud.accounts.tables import metadata


@pytest.fixture(scope="session", autouse=True)
def cheap_hashes():
    """A hash that costs as much as it should takes longer than most tests; one test sees to it."""
    cheap = partial(PasswordHasher, time_cost=1, memory_cost=64, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wire.web.hashing.PasswordHasher", cheap)
        yield


@pytest.fixture
def logs_as_before():
    """A command that runs in this process sets logging up for it, on a stream that is closed."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def url(request, tmp_path):
    """URL of an empty database of this test's own; in both kinds for tests marked `both`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{tmp_path / 'accounts.sqlite'}"
        return
    url = f"{request.getfixturevalue('postgres')}/postgres"
    yield url
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def database(url):
    opened = Database(url)
    yield opened
    opened.close()


@pytest.fixture
def accounts(database):
    return Accounts(database)


@pytest.fixture
def audit(database):
    return Audit(database)


class Clock:
    """Goes when it is told to."""

    def __init__(self):
        self.now = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def go(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sessions(database, clock):
    """Idle for half an hour at most, twelve hours in all."""
    return Sessions(database, 1800, 43_200, clock)
