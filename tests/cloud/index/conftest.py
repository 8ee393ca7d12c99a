"""The projection in SQLite, and in a PostgreSQL of this session where one is installed."""

import pytest
import sqlalchemy as sa

from cloud.index.index import Index
from cloud.index.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """URL of an empty database of this test's own."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'index.sqlite'}"
        return
    url = f"{request.getfixturevalue('postgres')}/postgres"
    yield url
    engine = sa.create_engine(url)
    metadata.drop_all(engine)
    engine.dispose()


@pytest.fixture
def index(url):
    """An empty projection."""
    opened = Index(url)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path):
    """A projection in one database: where all is decided before it."""
    opened = Index(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield opened
    opened.close()
