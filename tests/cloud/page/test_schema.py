"""schemathesis sends what the page's schema allows, and what it does not: nothing makes it fail."""

import os
import re
from contextlib import contextmanager

import pytest
import requests
import schemathesis
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_room import served_room
from slide_results import capture_id
from stages import SLIDES
from structlog.testing import capture_logs

from cloud.page.app import create_app

EXAMPLES = int(os.environ.get("LEUKOSCOPE_FUZZ_EXAMPLES", "3"))
_ELSEWHERE = re.compile(r"/live/.*|/logout|.*\.pdf")
"""Streams have no end; the session is needed; pages take long to draw: tests of their own."""

PLACES = {
    "site": "home",
    "slide": SLIDES["review"],
    "device": "scope-1",
    "capture": capture_id(100),
    "n": 0,
}
"""Of what is there: half of what is sent is about it."""

calmly = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def databases(request):
    """In PostgreSQL where it is installed: it takes less than SQLite does."""
    try:
        server = request.getfixturevalue("postgres")
    except pytest.skip.Exception:
        yield {}
        return
    names = ("room_index", "room_accounts")
    with _admin(server) as connection:
        for name in names:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield {f"{name.removeprefix('room_')}_url": f"{server}/{name}" for name in names}
    with _admin(server) as connection:
        for name in names:
            connection.execute(sa.text(f"DROP DATABASE {name}"))


@contextmanager
def _admin(server):
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture(scope="module")
def served(tmp_path_factory, databases):
    with served_room(tmp_path_factory.mktemp("room"), **databases) as room:
        yield room


def operations(room):
    """Of the whole page."""
    schema = schemathesis.openapi.from_dict(create_app(room).openapi())
    found = [operation.ok() for operation in schema.get_all_operations()]
    return [one for one in found if not _ELSEWHERE.fullmatch(one.path)]


def signed_in(served, name):
    """A browser's end with this person's session and token."""
    cookie = served.cookie(name)
    session = served.room.sessions.of_cookie(cookie["value"])
    http = requests.Session()
    http.cookies.set(cookie["name"], cookie["value"])
    http.headers["X-CSRF-Token"] = served.room.sessions.csrf(session)
    return http


@pytest.mark.parametrize("name", ["lise", "root"])
def test_whatever_is_sent_the_page_does_not_fail(served, name):
    http = signed_in(served, name)
    answered = set()
    with capture_logs() as logs:
        for operation in operations(served.room):

            @calmly
            @given(case=operation.as_strategy(), real=st.booleans())
            def send(case, real):
                if real and case.path_parameters:
                    known = {name: PLACES.get(name, "ada") for name in case.path_parameters}
                    case.path_parameters.update(known)
                answer = case.call(base_url=served.address, session=http, allow_redirects=False)
                assert answer.status_code < 500, (case.method, case.formatted_path, logs[-1:])
                answered.add((case.method, case.operation.path, answer.status_code))

            send()
    assert [log for log in logs if log["event"] in ("page_fault", "page_server")] == []
    assert len({path for _, path, _ in answered}) > 5
    assert any(method == "POST" and status not in (401, 403) for method, _, status in answered)
