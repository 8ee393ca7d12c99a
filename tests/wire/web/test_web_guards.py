"""The guards by themselves, around an application that only says that it was reached."""

import asyncio

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from structlog.testing import capture_logs

from wire.web.attempts import Attempts
from wire.web.body import BodyLimit
from wire.web.faults import Faults
from wire.web.headers import SecurityHeaders
from wire.web.origin import OriginGuard
from wire.web.settings import ServedSettings

HERE = "http://127.0.0.1:8000"


async def echo(scope, receive, send):
    body = await Request(scope, receive).body()
    await PlainTextResponse(f"reached with {len(body)} bytes")(scope, receive, send)


def with_state(app):
    async def stated(scope, receive, send):
        scope.setdefault("state", {})
        await app(scope, receive, send)

    return stated


def asked(app, method="GET", path="/", **sent):
    async def ask():
        transport = httpx.ASGITransport(with_state(app))
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            return await client.request(method, path, **sent)

    return asyncio.run(ask())


@pytest.mark.parametrize(("size", "status"), [(0, 200), (100, 200), (101, 413)])
def test_a_body_passes_up_to_the_limit_that_its_page_sets(size, status):
    answer = asked(BodyLimit(echo, 100), "POST", content=b"x" * size)
    assert answer.status_code == status
    if status == 200:
        assert answer.text == f"reached with {size} bytes"
    else:
        assert "100 bytes" in answer.text


def test_a_body_that_does_not_say_its_size_is_measured():
    async def pieces():
        for _ in range(11):
            yield b"x" * 10

    assert asked(BodyLimit(echo, 100), "POST", content=pieces()).status_code == 413


def test_a_fault_is_a_sentence_to_the_browser_and_a_traceback_in_the_log():
    async def broken(scope, receive, send):
        raise LookupError("secret")

    with capture_logs() as logs:
        answer = asked(Faults(broken, "It failed."), path="/slides/of/somebody")
    assert (answer.status_code, answer.text) == (500, "It failed.\n")
    assert [log["event"] for log in logs] == ["page_fault"]
    assert "somebody" not in repr(logs)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "Room.Lab.Example"}, 200),
        ({"Host": "evil.example"}, 421),
        ({"Origin": HERE}, 200),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
def test_a_change_comes_from_the_page_itself_under_a_name_of_its_own(headers, status):
    settings = ServedSettings(port=8000, names=("room.lab.example",))
    guarded = OriginGuard(echo, settings, "the room's")
    answer = asked(guarded, "POST", headers=headers)
    assert answer.status_code == status
    if status == 421:
        assert "Use the room's address" in answer.text


def test_behind_a_proxy_that_encrypts_nobody_comes_in_plain():
    guarded = OriginGuard(echo, ServedSettings(port=8000, trusted_proxy="10.0.0.1"), "the room's")
    assert asked(guarded).status_code == 403


def test_answers_may_be_kept_only_where_a_route_says_so():
    async def kept(scope, receive, send):
        answer = PlainTextResponse("x", headers={"Cache-Control": "max-age=60"})
        await answer(scope, receive, send)

    assert asked(SecurityHeaders(echo)).headers["cache-control"] == "no-store"
    assert asked(SecurityHeaders(kept)).headers["cache-control"] == "max-age=60"


def test_each_page_says_how_many_attempts_it_allows():
    now = [0.0]
    attempts = Attempts(lambda: now[0], allowed=2)
    assert [attempts.wait_s("ada") > 0 for _ in range(3)] == [False, False, True]
    attempts.forget("ada")
    assert attempts.wait_s("ada") == 0
