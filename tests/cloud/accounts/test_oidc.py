"""Signing in by a provider, against a real one that may be told to lie."""

import time
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from oidc_provider import EC, RSA, STRANGER, provider
from reading_desk import run
from reading_room import client_of, open_bench
from structlog.testing import capture_logs

from cloud.accounts.audit import Wanted
from cloud.accounts.settings import OidcSettings
from cloud.page.routes.enter import enter
from cloud.page.routes.oidc import oidc
from cloud.page.routes.worklist import worklist

FORGED = [
    ({"aud": "another"}, "aud"),
    ({"aud": None}, "aud"),
    ({"aud": ["leukoscope", "another"]}, "azp"),
    ({"azp": "another"}, "azp"),
    ({"iss": "https://another.example"}, "iss"),
    ({"nonce": "another"}, "nonce"),
    ({"nonce": None}, "nonce"),
    ({"exp": int(time.time()) - 120}, "expired"),
    ({"exp": None}, "exp"),
    ({"iat": int(time.time()) + 900}, "future"),
    ({"iat": None}, "iat"),
    ({"sub": None}, "sub"),
    ({"sub": 17}, "sub"),
    ({"at_hash": "bm90IHRoaXMgb25l"}, "at_hash"),
]


@pytest.fixture(scope="module")
def running():
    with provider() as idp:
        yield idp


@pytest.fixture(autouse=True)
def few_routes(monkeypatch):
    """To make FastAPI routes of all pages anew takes most of a test's time."""
    monkeypatch.setattr("cloud.page.app.ROUTES", (enter, oidc, worklist))


@pytest.fixture
def idp(running):
    running.reset()
    return running


@asynccontextmanager
async def opened(tmp_path, idp, **changes):
    """A room with an account for `subject-17`, and a browser before it."""
    async with open_bench(tmp_path, oidc=idp.settings(**changes)) as room:
        room.accounts.add("Emmy", "reader", oidc=(idp.issuer, "subject-17"))
        async with client_of(room) as browser:
            yield room, browser


async def sent(browser, path="/oidc/login"):
    """To the provider: its address."""
    answer = await browser.get(path)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


async def answered(url):
    """By the provider: path and query of the way back."""
    async with httpx.AsyncClient(verify=False) as outside:  # noqa: S501  # 127.0.0.1
        back = urlsplit((await outside.get(url)).headers["Location"])
    return f"{back.path}?{back.query}"


async def back_from(browser, path="/oidc/login"):
    return await browser.get(await answered(await sent(browser, path)))


def noted(room, did):
    lines = room.audit.lines(Wanted(did=did))
    return [(line.who, line.account, line.detail) for line in lines]


def is_signed_in(answer):
    return answer.status_code == 303 and not answer.headers["Location"].startswith("/login")


async def stays_out(room, browser, answer, code, status=403):
    assert answer.status_code == status, answer.text
    assert code in answer.text
    assert (await browser.get("/")).headers["Location"] == "/login"
    assert noted(room, "login") == []


def test_a_known_person_comes_in_and_that_is_noted(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            answer = await back_from(browser)
            assert (answer.status_code, answer.headers["Location"]) == (303, "/")
            page = await browser.get("/")
            assert page.status_code == 200
            assert "Emmy" in page.text
            assert noted(room, "login") == [("Emmy", "", "by=oidc")]

    run(enter())


@pytest.mark.parametrize(
    ("path", "after"), [("/slides/home/s1", "/slides/home/s1"), ("//evil.example/", "/")]
)
def test_the_page_that_was_asked_for_is_opened_afterwards_and_no_foreign_one(
    tmp_path, idp, path, after
):
    async def enter(path):
        async with opened(tmp_path, idp) as (_, browser):
            answer = await back_from(browser, f"/oidc/login?{urlencode({'next': path})}")
            assert answer.headers["Location"] == after

    run(enter(path))


def test_the_sign_in_page_offers_it_where_it_is_set(tmp_path, idp):
    async def look():
        async with opened(tmp_path, idp, button="Hospital account") as (_, browser):
            page = await browser.get("/login?next=/slides/home/s1")
            assert "Hospital account" in page.text
            assert 'href="/oidc/login?next=/slides/home/s1"' in page.text

    run(look())


def test_where_it_is_not_set_it_is_not_there(tmp_path):
    async def look():
        async with open_bench(tmp_path) as room, client_of(room) as browser:
            assert "/oidc/" not in (await browser.get("/login")).text
            for path in ("/oidc/login", "/oidc/callback"):
                answer = await browser.get(path)
                assert answer.status_code == 404
                assert "oidc-off" in answer.text

    run(look())


def test_nobody_registers_by_themselves_and_the_admin_is_told_whom_to_add(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            idp.person = "stranger-<3>"
            answer = await back_from(browser)
            await stays_out(room, browser, answer, "oidc-unknown")
            assert "stranger-&lt;3&gt;" in answer.text
            assert noted(room, "login-refused") == [("", "", "by=oidc")]
            assert "stranger" not in repr(list(room.audit.lines()))

    run(enter())


def test_a_disabled_account_stays_out(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            room.accounts.disable("Emmy")
            await stays_out(room, browser, await back_from(browser), "oidc-unknown")

    run(enter())


def test_the_same_subject_of_another_issuer_stays_out(tmp_path, idp):
    async def enter():
        async with open_bench(tmp_path, oidc=idp.settings()) as room:
            room.accounts.add("Emmy", "reader", oidc=("https://another.example", "subject-17"))
            async with client_of(room) as browser:
                await stays_out(room, browser, await back_from(browser), "oidc-unknown")

    run(enter())


@pytest.mark.parametrize(("lies", "about"), FORGED, ids=[f"{lie}" for lie, _ in FORGED])
def test_a_token_that_is_not_for_this_sign_in_is_refused(tmp_path, idp, lies, about):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            idp.lies = lies
            with capture_logs() as logs:
                answer = await back_from(browser)
            await stays_out(room, browser, answer, "oidc-unverified")
            assert noted(room, "login-refused") == [("", "", "by=oidc")]
            (told,) = [line for line in logs if line["event"] == "oidc_refused"]
            assert about in told["cause"]

    run(enter())


@pytest.mark.parametrize("case", ["stranger", "stranger-with-our-kid", "hmac", "none"])
def test_a_signature_that_is_not_the_providers_is_refused(tmp_path, idp, case):
    if case == "stranger":
        idp.key = STRANGER
    elif case == "stranger-with-our-kid":
        plain = STRANGER.as_dict(private=True) | {"kid": RSA.as_dict()["kid"]}
        idp.key = type(RSA).import_key(plain)
    elif case == "hmac":
        idp.algorithm = "HS256"  # the old trick: the public key taken as its secret
    else:
        idp.algorithm = "none"

    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            await stays_out(room, browser, await back_from(browser), "oidc-unverified")

    run(enter())


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "PS256"), (EC, "ES256")])
def test_other_signatures_by_key_pairs_are_taken(tmp_path, idp, key, algorithm):
    idp.key, idp.keys, idp.algorithm = key, [STRANGER, key], algorithm

    async def enter():
        async with opened(tmp_path, idp) as (_, browser):
            assert is_signed_in(await back_from(browser))

    run(enter())


def test_a_new_key_of_the_provider_is_learnt_but_not_asked_for_at_every_try(
    tmp_path, idp, monkeypatch
):
    async def enter():
        async with opened(tmp_path, idp) as (_, browser):
            await sent(browser)
            idp.key, idp.keys = STRANGER, [RSA, STRANGER]
            asked = idp.asked.count("/keys")
            assert (await back_from(browser)).status_code == 403
            assert idp.asked.count("/keys") == asked
            monkeypatch.setattr("cloud.accounts.provider._AGAIN_S", 0.0)
            assert is_signed_in(await back_from(browser))
            assert idp.asked.count("/keys") == asked + 1

    run(enter())


def test_an_answer_is_taken_once(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            back = await answered(await sent(browser))
            assert is_signed_in(await browser.get(back))
            async with client_of(room) as thief:
                answer = await thief.get(back)
                assert answer.status_code == 400
                assert "oidc-not-begun" in answer.text
            assert (await browser.get(back)).status_code == 400
            assert len(noted(room, "login")) == 1

    run(enter())


def test_another_browser_cannot_finish_what_this_one_began(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser), client_of(room) as other:
            back = await answered(await sent(browser))
            await sent(other)  # has a session of its own
            assert (await other.get(back)).status_code == 400
            assert is_signed_in(await browser.get(back))  # that took nothing away

    run(enter())


@pytest.mark.parametrize("changed", [{"state": "made up"}, {"state": ""}, {"state": "\x7fü"}])
def test_a_state_that_was_never_given_out_is_refused(tmp_path, idp, changed):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            back = urlsplit(await answered(await sent(browser)))
            query = {name: values[0] for name, values in parse_qs(back.query).items()}
            answer = await browser.get(f"{back.path}?{urlencode(query | changed)}")
            await stays_out(room, browser, answer, "oidc-not-begun", 400)

    run(enter())


def test_the_code_of_another_sign_in_is_refused(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser), client_of(room) as victim:
            theirs = parse_qs(urlsplit(await answered(await sent(victim))).query)
            mine = parse_qs(urlsplit(await answered(await sent(browser))).query)
            query = urlencode({"state": mine["state"][0], "code": theirs["code"][0]})
            answer = await browser.get(f"/oidc/callback?{query}")
            await stays_out(room, browser, answer, "oidc-unverified")  # PKCE

    run(enter())


def test_the_answer_of_another_issuer_is_refused(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            back = (await answered(await sent(browser))).replace(
                urlencode({"iss": idp.issuer}), "iss=https%3A%2F%2Fanother.example"
            )
            await stays_out(room, browser, await browser.get(back), "oidc-unverified")

    run(enter())


def test_who_takes_too_long_at_the_provider_begins_again(tmp_path, idp, monkeypatch):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            back = await answered(await sent(browser))
            monkeypatch.setattr("cloud.accounts.begun.PATIENCE", timedelta(minutes=-1))
            await stays_out(room, browser, await browser.get(back), "oidc-not-begun", 400)

    run(enter())


@pytest.mark.parametrize(
    ("error", "shown"),
    [("access_denied", "(access_denied)"), ("<script>alert(1)</script>", "(without a code)")],
)
def test_what_the_provider_refuses_is_told_by_its_code_only(tmp_path, idp, error, shown):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            state = parse_qs(urlsplit(await sent(browser)).query)["state"][0]
            query = urlencode({"state": state, "error": error, "error_description": "<b>x</b>"})
            answer = await browser.get(f"/oidc/callback?{query}")
            await stays_out(room, browser, answer, "oidc-refused")
            assert shown in answer.text
            assert "<script>alert" not in answer.text
            assert "<b>x" not in answer.text

    run(enter())


@pytest.mark.parametrize("when", ["before", "between"])
def test_a_provider_that_is_away_is_told_and_comes_back(tmp_path, idp, when):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            if when == "before":
                idp.down = True
                answer = await browser.get("/oidc/login")
            else:
                back = await answered(await sent(browser))
                idp.down = True
                answer = await browser.get(back)
            await stays_out(room, browser, answer, "oidc-away", 503)
            assert "does not answer as it should" in answer.text
            idp.down = False
            assert is_signed_in(await back_from(browser))

    run(enter())


def test_a_provider_that_nobody_answers_for_is_told(tmp_path):
    async def enter():
        settings = {"issuer": "http://127.0.0.1:9", "client_id": "x"}
        settings["page_url"] = "http://127.0.0.1:8740"
        async with open_bench(tmp_path, oidc=settings) as room, client_of(room) as browser:
            answer = await browser.get("/oidc/login")
            assert answer.status_code == 503
            assert "oidc-away" in answer.text

    run(enter())


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://another.example"},
        {"jwks_uri": "http://another.example/keys"},
        {"token_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_provider_that_says_strange_things_of_itself_is_not_believed(tmp_path, idp, about):
    async def enter():
        async with opened(tmp_path, idp) as (_, browser):
            idp.about = about
            answer = await browser.get("/oidc/login")
            assert answer.status_code == 503
            assert "oidc-away" in answer.text

    run(enter())


def test_a_provider_that_takes_the_secret_only_in_the_form_gets_it_there(tmp_path, idp):
    idp.methods = ("client_secret_post",)

    async def enter():
        async with opened(tmp_path, idp) as (_, browser):
            assert is_signed_in(await back_from(browser))

    run(enter())


def test_a_wrong_secret_lets_nobody_in(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp, client_secret="wrong") as (room, browser):  # noqa: S106  # as said
            await stays_out(room, browser, await back_from(browser), "oidc-unverified")

    run(enter())


def test_too_many_tries_of_one_address_have_to_wait(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (_, browser):
            for _ in range(20):
                await sent(browser)
            answer = await browser.get("/oidc/login")
            assert answer.status_code == 429
            assert "login-wait" in answer.text

    run(enter())


def test_neither_state_nor_browser_lie_in_the_database_as_they_are(tmp_path, idp):
    async def enter():
        async with opened(tmp_path, idp) as (room, browser):
            state = parse_qs(urlsplit(await sent(browser)).query)["state"][0]
            with room.database.engine.connect() as connection:
                rows = connection.exec_driver_sql("SELECT * FROM oidc_logins").all()
            assert len(rows) == 1
            assert state not in repr(rows)

    run(enter())


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"issuer": "http://id.example"}, "https"),
        ({"issuer": "id.example"}, "https"),
        ({"issuer": "https://id.example/?realm=a"}, r"without \?"),
        ({"issuer": "https://me:pw@id.example"}, "user name"),
        ({"page_url": "https://reading.example/room"}, "without a path"),
        ({"page_url": "http://reading.example"}, "https"),
        ({"client_id": ""}, "at least 1"),
        ({"scope": "openid"}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, complaint):
    plain = {"issuer": "https://id.example", "client_id": "x", "page_url": "https://a.example"}
    with pytest.raises(ValueError, match=complaint):
        OidcSettings(**(plain | changes))
    assert OidcSettings(**plain).callback == "https://a.example/oidc/callback"
