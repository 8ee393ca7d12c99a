"""What reaches a device, and what becomes of it when it does not."""

import asyncio
import base64
import json
import logging
import socket
import time
from email.utils import formatdate

import pytest
import structlog
from py_vapid import Vapid

from cloud.push.devices import Device
from cloud.push.keys import public_part
from cloud.push.post import TTL_S, Post


def claims_of(pushed):
    token = pushed.headers["Authorization"].split("t=")[1].split(",")[0]
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def subscribe(push, browser, account="ada", session="s-1"):
    push.subscribe(account, session, browser.subscription)
    return browser


def test_a_device_reads_one_sentence_and_nothing_else_is_sent(push, service, rounds, key):
    browser = subscribe(push, service.browser("one"))
    assert push.needs_you() == 1
    rounds()
    (pushed,) = service.pushed
    assert browser.reads(pushed) == b"A slide needs you."
    assert pushed.path == "/push/one"
    told = {name.lower(): value for name, value in pushed.headers.items()}
    authorization = told.pop("authorization")
    assert told == {
        "host": f"localhost:{service.port}",
        "user-agent": "leukoscope",
        "accept": "*/*",
        "accept-encoding": told["accept-encoding"],
        "content-type": "application/octet-stream",
        "content-encoding": "aes128gcm",
        "content-length": str(len(pushed.body)),
        "ttl": str(TTL_S),
        "urgency": "high",
        "topic": "needs-you",
    }
    assert authorization.startswith("vapid t=")
    assert authorization.endswith(f",k={public_part(key)}")
    assert Vapid.verify(authorization)
    claims = claims_of(pushed)
    assert set(claims) == {"aud", "sub", "exp"}
    assert claims["aud"] == f"https://localhost:{service.port}"
    assert claims["sub"] == "mailto:it@lab.example"
    assert time.time() < claims["exp"] <= time.time() + 24 * 3600


def test_every_device_of_every_reader_is_told_with_the_words_for_it_alone(push, service, rounds):
    browsers = [
        subscribe(push, service.browser("phone"), "ada"),
        subscribe(push, service.browser("desk"), "ada", "s-2"),
        subscribe(push, service.browser("lead"), "grace", "s-3"),
    ]
    assert push.needs_you() == 3
    rounds()
    by_path = {pushed.path: pushed for pushed in service.pushed}
    assert len(service.pushed) == len(by_path) == 3
    for browser, name in zip(browsers, ("phone", "desk", "lead"), strict=True):
        assert browser.reads(by_path[f"/push/{name}"]) == b"A slide needs you."
    assert len({pushed.body for pushed in service.pushed}) == 3


def test_a_device_is_told_at_most_once_in_ten_minutes_and_then_of_what_came_meanwhile(
    push, service, rounds, clock
):
    subscribe(push, service.browser("one"))
    push.needs_you()
    rounds()
    clock.now += 60
    assert push.needs_you() == 1
    assert push.needs_you() == 0  # it is going to be told already
    assert rounds() == pytest.approx(30)  # seconds to the next look
    assert len(service.pushed) == 1
    clock.now += 539
    rounds()
    assert len(service.pushed) == 1
    clock.now += 1
    rounds()
    assert len(service.pushed) == 2
    clock.now += 6000
    rounds()
    assert len(service.pushed) == 2


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(push, service, rounds, status):
    browser = subscribe(push, service.browser("one"))
    service.answers.append((status, {}))
    push.needs_you()
    rounds()
    assert not push.devices.holds("ada", "s-1", browser.endpoint)
    assert push.needs_you() == 0
    assert push.metrics.counts() == {"gone": 1}


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_service_is_tried_again_later_each_time(push, service, rounds, clock, status):
    subscribe(push, service.browser("one"))
    service.answers += [(status, {})] * 2
    push.needs_you()
    rounds()
    clock.now += 3
    rounds()
    assert len(service.pushed) == 1
    clock.now += 4
    rounds()
    clock.now += 7
    rounds()
    assert len(service.pushed) == 2
    clock.now += 6
    rounds()
    assert len(service.pushed) == 3
    assert push.metrics.counts() == {"later": 2, "sent": 1}


@pytest.mark.parametrize("after", ["300", lambda: formatdate(time.time() + 300, usegmt=True)])
def test_a_service_that_says_when_is_left_alone_until_then(push, service, rounds, clock, after):
    subscribe(push, service.browser("one"))
    service.answers.append((503, {"Retry-After": after if isinstance(after, str) else after()}))
    push.needs_you()
    rounds()
    clock.now += 295
    rounds()
    assert len(service.pushed) == 1
    clock.now += 10
    rounds()
    assert len(service.pushed) == 2


@pytest.mark.parametrize("status", [302, 400, 401, 403, 413])
def test_what_would_not_help_is_not_tried_again_and_no_redirect_is_followed(
    push, service, rounds, clock, status
):
    browser = subscribe(push, service.browser("one"))
    elsewhere = {"Location": f"https://localhost:{service.port}/elsewhere"}
    service.answers.append((status, elsewhere if status == 302 else {}))
    push.needs_you()
    rounds()
    clock.now += 6000
    rounds()
    assert [pushed.path for pushed in service.pushed] == ["/push/one"]
    assert push.metrics.counts() == {"refused": 1, "given-up": 1}
    assert push.devices.holds("ada", "s-1", browser.endpoint)
    assert push.needs_you() == 1  # the next slide is another matter
    rounds()
    assert push.metrics.counts()["sent"] == 1


def test_a_service_that_is_away_is_given_up_after_eight_tries(push, service, rounds, clock):
    subscribe(push, service.browser("one"))
    service.answers += [(500, {})] * 100
    push.needs_you()
    for _ in range(20):
        rounds()
        clock.now += 3000
    assert len(service.pushed) == 8
    assert push.metrics.counts() == {"later": 8, "given-up": 1}


def test_nobody_there_is_a_failure_like_another(push, service, rounds, clock):
    with socket.socket() as taken:  # a port that is bound and does not listen
        taken.bind(("127.0.0.1", 0))
        service.port = taken.getsockname()[1]
        subscribe(push, service.browser("one"))
        push.needs_you()
        rounds()
    assert push.metrics.counts() == {"later": 1}


def test_a_strangers_certificate_is_not_told_anything(push, service, rounds, monkeypatch, tmp_path):
    (tmp_path / "nobody.pem").touch()
    subscribe(push, service.browser("one"))
    push.needs_you()
    monkeypatch.delenv("SSL_CERT_FILE")
    rounds()
    assert service.pushed == []
    assert push.metrics.counts() == {"later": 1}


@pytest.mark.parametrize("host", ["a" * 70 + ".localhost", "a..localhost", "xn--a.localhost"])
def test_a_device_with_an_odd_name_keeps_no_other_from_being_told(push, service, rounds, host):
    odd = service.browser("odd")
    odd.endpoint = f"https://{host}/odd"
    subscribe(push, odd)
    subscribe(push, service.browser("plain"), "grace")
    push.needs_you()
    rounds()
    assert [pushed.path for pushed in service.pushed] == ["/push/plain"]
    assert push.metrics.counts()["sent"] == 1
    assert sum(push.metrics.counts().values()) >= 2


def test_a_private_address_is_not_connected_to_whatever_its_name(service, key):
    browser = service.browser("one")
    keys = browser.subscription.keys
    device = Device("id", "ada", browser.endpoint, keys.p256dh, keys.auth, 0)

    async def told(private):
        async with Post(key, "mailto:it@lab.example", private=private) as post:
            return await post.send(device)

    assert asyncio.run(told(private=False)).verdict == "later"
    assert service.pushed == []
    assert asyncio.run(told(private=True)).verdict == "sent"


def test_failures_are_logged_without_the_address_that_is_a_secret(push, service, rounds):
    browser = subscribe(push, service.browser("a-secret-name"))
    service.answers.append((403, {}))
    push.needs_you()
    with structlog.testing.capture_logs() as logs:
        rounds()
    (line,) = logs
    assert line["event"] == "push_refused"
    assert line["why"] == "HTTP 403"
    assert "a-secret-name" not in str(logs)
    assert browser.subscription.keys.auth not in str(logs)
    assert logging.getLogger("pywebpush").handlers == []


def test_the_task_sends_at_once_when_somebody_is_needed_and_ends_when_it_is_told_to(
    push, service, clock
):
    clock.now = time.time()
    subscribe(push, service.browser("one"))

    async def serve():
        keeping = asyncio.ensure_future(push.keep())
        await asyncio.sleep(0.2)
        began = time.monotonic()
        await asyncio.to_thread(push.needs_you)
        while not service.pushed:
            await asyncio.sleep(0.01)
        took = time.monotonic() - began
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        return took

    assert asyncio.run(asyncio.wait_for(serve(), 10)) < 3


def test_while_the_database_is_away_the_task_waits_and_counts_it(push, service, rounds, database):
    subscribe(push, service.browser("one"))
    push.needs_you()
    database.engine.dispose()
    real = database.engine
    database.engine = _Broken()
    assert rounds() == 5.0
    assert push.metrics.counts() == {"trouble": 1}
    database.engine = real
    rounds()
    assert len(service.pushed) == 1


class _Broken:
    def begin(self):
        import sqlalchemy as sa

        raise sa.exc.OperationalError("away", None, OSError("away"))
