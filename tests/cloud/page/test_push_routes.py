"""The button "Tell me on this device": what the page and its routes say."""

import asyncio

import pytest
from push_service import PushService, push_service
from reading_desk import run
from reading_room import client_of, open_app

from cloud.accounts.audit import Wanted
from cloud.push.devices import MOST_PER_ACCOUNT
from cloud.push.keys import new_push_key


@pytest.fixture
def settings(tmp_path):
    """Of a room that pushes, to services on this machine, too."""
    new_push_key(tmp_path / "push.pem")
    return {
        "push_key": tmp_path / "push.pem",
        "push_contact": "mailto:it@lab.example",
        "push_private": True,
        "push_services": ("localhost",),
    }


def browser(name="one"):
    return PushService(port=443).browser(name)


def noted(room):
    return [(line.who, line.did) for line in room.audit.lines(Wanted()) if "push" in line.did]


def test_a_device_is_told_from_the_press_of_the_button_until_the_next_press(tmp_path, settings):
    one = browser()
    here = {"endpoint": one.endpoint}

    async def check():
        async with open_app(tmp_path, **settings) as (room, client):
            key = (await client.get("/push/key")).json()["key"]
            assert key == room.push.key
            assert (await client.post("/push/here", json=here)).json() == {"told": False}
            assert (await client.post("/push/subscribe", json=one.as_json())).status_code == 204
            assert (await client.post("/push/here", json=here)).json() == {"told": True}
            assert room.push.needs_you() == 1
            assert (await client.post("/push/unsubscribe", json=here)).status_code == 204
            assert (await client.post("/push/here", json=here)).json() == {"told": False}
            assert room.push.needs_you() == 0
            assert noted(room) == [("ada", "push-on"), ("ada", "push-off")]

    run(check())


def test_signing_out_ends_it_on_that_device_alone(tmp_path, settings):
    async def check():
        async with (
            open_app(tmp_path, **settings) as (room, phone),
            client_of(room, "ada") as desk,
        ):
            await phone.post("/push/subscribe", json=browser("phone").as_json())
            await desk.post("/push/subscribe", json=browser("desk").as_json())
            assert (await phone.post("/logout")).status_code == 303
            here = {"endpoint": browser("desk").endpoint}
            assert (await desk.post("/push/here", json=here)).json() == {"told": True}
            gone = {"endpoint": browser("phone").endpoint}
            assert (await desk.post("/push/here", json=gone)).json() == {"told": False}

    run(check())


def test_nobody_ends_or_asks_for_anothers_device(tmp_path, settings):
    async def check():
        async with open_app(tmp_path, **settings) as (room, ada):
            here = {"endpoint": browser().endpoint}
            await ada.post("/push/subscribe", json=browser().as_json())
            async with client_of(room, "lise") as lise:
                assert (await lise.post("/push/here", json=here)).json() == {"told": False}
                await lise.post("/push/unsubscribe", json=here)
                await lise.post("/push/unsubscribe", json={"endpoint": None})
            assert (await ada.post("/push/here", json=here)).json() == {"told": True}

    run(check())


def test_an_account_with_too_many_devices_can_end_them_all_and_begin_anew(tmp_path, settings):
    async def check():
        async with open_app(tmp_path, **settings) as (room, client):
            for number in range(MOST_PER_ACCOUNT):
                await client.post("/push/subscribe", json=browser(f"n{number}").as_json())
            full = await client.post("/push/subscribe", json=browser("more").as_json())
            assert full.status_code == 409
            assert full.json()["reason"] == "push-devices-full"
            assert (await client.post("/push/unsubscribe", json={})).status_code == 204
            assert room.push.needs_you() == 0
            again = await client.post("/push/subscribe", json=browser("more").as_json())
            assert again.status_code == 204

    run(check())


@pytest.mark.parametrize(
    ("endpoint", "reason"),
    [
        ("http://localhost/x", "push-endpoint-invalid"),
        ("https://169.254.169.254/latest/meta-data", "push-service-unknown"),
    ],
)
def test_an_address_that_is_no_push_service_is_refused_and_not_repeated(
    tmp_path, settings, endpoint, reason
):
    async def check():
        async with open_app(tmp_path, **settings) as (room, client):
            sent = browser().as_json() | {"endpoint": endpoint}
            answer = await client.post("/push/subscribe", json=sent)
            assert (answer.status_code, answer.json()["reason"]) == (409, reason)
            assert endpoint not in answer.text
            assert room.push.needs_you() == 0
            assert noted(room) == []

    run(check())


@pytest.mark.parametrize("sent", [None, [], {}, {"endpoint": 7}, {"endpoint": "x", "slide": "s1"}])
@pytest.mark.parametrize("path", ["/push/here", "/push/subscribe"])
def test_what_is_no_such_request_is_refused_in_words(tmp_path, settings, path, sent):
    async def check():
        async with open_app(tmp_path, **settings) as (_, client):
            answer = await client.post(path, json=sent)
            assert answer.status_code == 422
            assert answer.json()["reason"] == "request-invalid"

    run(check())


def test_only_readers_and_leads_are_told_and_only_with_the_pages_own_token(tmp_path, settings):
    async def check():
        async with open_app(tmp_path, "admin", **settings) as (room, admin):
            for answer in (
                await admin.get("/push/key"),
                await admin.post("/push/subscribe", json=browser().as_json()),
            ):
                assert answer.status_code == 403
                assert answer.json()["reason"] == "role-forbids"
            async with client_of(room, "ada") as forged:
                forged.headers["X-CSRF-Token"] = "x"
                answer = await forged.post("/push/subscribe", json=browser().as_json())
                assert answer.status_code == 403
            async with client_of(room) as nobody:
                assert (await nobody.get("/push/key")).status_code == 401
            assert room.push.needs_you() == 0

    run(check())


def test_without_a_key_the_page_says_so_and_offers_nothing(tmp_path):
    async def check():
        async with open_app(tmp_path) as (_, client):
            answer = await client.get("/push/key")
            assert (answer.status_code, answer.json()["reason"]) == (404, "push-off")
            page = (await client.get("/")).text
            assert "This reading room tells no devices." in page
            assert "data-push" not in page
            assert "push.js" not in page

    run(check())


def test_with_a_key_the_menu_offers_it_to_readers_and_not_to_an_admin(tmp_path, settings):
    async def check():
        async with open_app(tmp_path, **settings) as (room, client):
            page = (await client.get("/")).text
            assert 'data-push="ada"' in page
            assert "Tell me on this device" in page
            assert "push.js" in page
            async with client_of(room, "root") as admin:
                assert "data-push" not in (await admin.get("/refusals")).text
            worker = (await client.get("/sw.js")).text
            assert "/push-worker.js" in worker

    run(check())


def test_an_urgent_slide_reaches_a_device_that_asked_by_the_page(tmp_path, settings, monkeypatch):
    from slide_results import field_result

    from cloud.index.index import SlideKey
    from cloud.live.news import Change
    from cloud.push.watch import Watch

    async def check(service, one):
        async with open_app(tmp_path, labels=[["Normal"]], **settings) as (room, client):
            await client.post("/push/subscribe", json=one.as_json())
            watch = Watch(room.index, room.news, room.push)
            tasks = [asyncio.ensure_future(work) for work in (room.push.keep(), watch.keep())]
            await asyncio.sleep(0.2)
            room.index.put([field_result(5, ["AML"] * 3, slide="a-token-of-a-slide")])
            room.news.tell(Change(*SlideKey("home", "a-token-of-a-slide"), "fields"))
            while not room.push.metrics.counts().get("sent"):
                await asyncio.sleep(0.02)
            assert (
                'leukoscope_pushes_total{outcome="sent"} 1.0' in (await client.get("/metrics")).text
            )
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    with push_service(monkeypatch, tmp_path) as service:
        one = service.browser("one")
        run(check(service, one))
        (pushed,) = service.pushed
        assert one.reads(pushed) == b"A slide needs you."
        assert "a-token" not in str(pushed)
