"""The button "Tell me on this device" under a finger, and what a push shows.

Chromium of Debian has no push service behind it: what its PushManager would give is put in its
place, with the keys of a device of this test. All else is real, the service worker, too.
"""

import asyncio
import json

import pytest
from browsers import grave, small_targets
from playwright.sync_api import expect
from push_service import push_service
from reading_room import served_room

from cloud.push.keys import new_push_key

# What the browser would give; kept for the device, as browsers do.
STAND_IN = """
  const made = %s;
  const kept = () => (localStorage.getItem("stand-in") ? subscription : null);
  const subscription = {
    endpoint: made.endpoint,
    toJSON: () => made,
    unsubscribe: async () => localStorage.removeItem("stand-in") ?? true,
  };
  PushManager.prototype.getSubscription = async () => kept();
  PushManager.prototype.subscribe = async (wanted) => {
    window.wanted = wanted;
    localStorage.setItem("stand-in", "1");
    return subscription;
  };
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with (
        pytest.MonkeyPatch.context() as patch,
        push_service(patch, tmp_path_factory.mktemp("push")) as serving,
    ):
        yield serving


@pytest.fixture(scope="module")
def pushing(service, tmp_path_factory):
    folder = tmp_path_factory.mktemp("room")
    new_push_key(folder / "push.pem")
    settings = {
        "push_key": folder / "push.pem",
        "push_contact": "mailto:it@lab.example",
        "push_private": True,
        "push_services": ("localhost",),
        "push_every_minutes": 0,
    }
    with served_room(folder, stages=False, **settings) as served:
        keeping = asyncio.run_coroutine_threadsafe(served.room.push.keep(), served.loop)
        yield served
        keeping.cancel()


@pytest.fixture
def phone(at, pushing, service):
    """The room on a phone whose browser lets it tell things; gives page and device."""

    def opened(name, *, allowed=True, **more):
        device = service.browser(name)
        page = at(room=pushing, **more)
        page.context.grant_permissions(["notifications"] if allowed else [], origin=pushing.address)
        page.context.add_init_script(STAND_IN % json.dumps(device.as_json()))
        page.reload()
        page.locator(".menu > summary").click()
        return page, device

    return opened


def test_a_press_has_the_device_told_and_another_press_ends_it(phone, pushing, service):
    page, device = phone("one")
    button, words = page.locator("#push"), page.locator("#push-words")
    expect(button).to_have_text("Tell me on this device")
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(words).to_contain_text("nothing about the slide")
    assert grave(page) == []
    assert small_targets(page) == []

    button.click()
    expect(button).to_have_text("Stop telling me on this device")
    assert page.evaluate("window.wanted") == {
        "userVisibleOnly": True,
        "applicationServerKey": pushing.room.push.key,
    }
    assert pushing.room.push.needs_you() == 1
    for _ in range(200):
        if service.pushed:
            break
        page.wait_for_timeout(50)
    (pushed,) = service.pushed
    assert device.reads(pushed) == b"A slide needs you."

    page.reload()
    page.locator(".menu > summary").click()
    expect(button).to_have_text("Stop telling me on this device")
    button.click()
    expect(button).to_have_text("Tell me on this device")
    assert pushing.room.push.needs_you() == 0


def test_a_reader_on_anothers_browser_is_not_taken_for_the_other(phone, pushing, at):
    page, _ = phone("shared")
    page.locator("#push").click()
    expect(page.locator("#push")).to_have_attribute("aria-pressed", "true")
    page.context.add_cookies([pushing.cookie("grace")])
    page.reload()
    page.locator(".menu > summary").click()
    expect(page.locator("#push")).to_have_text("Tell me on this device")
    assert pushing.room.push.devices.drop_all("ada") == 1


def test_signing_out_ends_it(phone, pushing):
    page, _ = phone("left")
    page.locator("#push").click()
    expect(page.locator("#push")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{pushing.address}/login")
    assert pushing.room.push.needs_you() == 0


def test_a_browser_that_forbids_it_says_where_to_allow_it(phone, pushing):
    page, _ = phone("denied", allowed=False)
    page.locator("#push").click()
    expect(page.locator("#push-words")).to_contain_text("allow notifications")
    expect(page.locator("#push")).to_have_text("Tell me on this device")
    assert pushing.room.push.needs_you() == 0


def test_a_push_shows_one_sentence_whatever_it_holds_and_opens_the_room(phone, pushing):
    page, _ = phone("shown")
    cdp = page.context.new_cdp_session(page)
    found = []
    cdp.on("ServiceWorker.workerRegistrationUpdated", lambda event: found.append(event))
    cdp.send("ServiceWorker.enable")
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    registrations = [one for event in found for one in event["registrations"]]
    assert registrations
    for words in ("A slide needs you.", "A stranger's words"):
        cdp.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": pushing.address,
                "registrationId": registrations[-1]["registrationId"],
                "data": words,
            },
        )
    shown = page.evaluate(
        """async () => {
          const ready = await navigator.serviceWorker.ready;
          for (let n = 0; n < 100; n += 1) {
            const all = await ready.getNotifications();
            if (all.length) return all.map((one) => [one.title, one.body, one.tag, one.data]);
            await new Promise((go) => setTimeout(go, 50));
          }
          return [];
        }"""
    )
    assert shown == [["leukoscope", "A slide needs you.", "needs-you", None]]
