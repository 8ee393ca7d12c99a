"""The reading room as a program of its own: killed while it posts, and what it does then."""

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx
import pytest
import tomli_w
from fhir_receiver import Answer, receiving
from slide_results import field_result, reading

from cloud.reviews.desk import Desk
from cloud.reviews.signing import configured_keys, load_key, new_key
from cloud.settings import CloudSettings
from cloud.signing.notes import Notes
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.worker.outcome import store_reading

pytestmark = pytest.mark.system


@pytest.fixture
def settings_file(tmp_path, cloud_settings):
    """Of a room at the real store and broker; `settings_file(url)`."""
    new_key(tmp_path / "review.pem")
    plain = cloud_settings.model_dump(exclude_none=True, mode="json")
    store = plain["store"] | {
        "secret_access_key": cloud_settings.store.secret_access_key.get_secret_value()
    }
    broker = plain["broker"] | {"password": cloud_settings.broker.password.get_secret_value()}

    def write(url):
        file = tmp_path / "cloud.toml"
        settings = {
            "store": store,
            "broker": broker,
            "name": cloud_settings.name,
            "site": cloud_settings.site,
            "review_key": str(tmp_path / "review.pem"),
            "index_url": f"sqlite:///{tmp_path / 'index.sqlite'}",
            "accounts_url": f"sqlite:///{tmp_path / 'accounts.sqlite'}",
            "picture_cache_mb": 0,
            "page": {"port": 0},
            "fhir": {"url": url, "token": "abc", "retry_max_s": 0.5},
        }
        file.write_text(tomli_w.dumps(settings))
        return file

    return write


@contextmanager
def room(file):
    """Gives the process and its address; kills it at the end where nobody has."""
    command = [sys.executable, "-m", "cloud", "review", "--config", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        address = running.stdout.readline().decode().rpartition(" ")[2].strip()
        try:
            yield running, address
        finally:
            if running.poll() is None:
                running.kill()


def until(fits, seconds, what):
    ends = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < ends, what
        time.sleep(0.05)


async def sign(objects, settings):
    """As a room does: a note first, then the signature; what follows is left to a room."""
    site = settings.site
    await store_reading(reading(field_result(1, ["Normal"], site=site)), objects)

    async def say(*_):
        """Nobody listens."""

    sums = SlideSums("t", objects, say, lambda _: None, trusted=configured_keys(settings))
    key, due = load_key(settings.review_key), Notes(objects).put
    desk = Desk(objects, key, {}, sums, lambda *_: None, due=due)
    seen = {"shown": (await desk.load(site, "s1")).shown}
    await desk.sign(site, "s1", "ada", **seen, last_seen=0)
    await desk.amend(site, "s1", "ada", "a second look", **seen, last_seen=1)


def test_a_room_that_is_killed_while_it_posts_posts_all_in_order_at_its_next_start(
    objects, cloud_settings, settings_file
):
    with receiving() as (receiver, url):
        file = settings_file(url)
        asyncio.run(sign(objects, CloudSettings.load(file)))
        receiver.wanted = "Bearer abc"
        receiver.told = [Answer(500), Answer(200, b"", after_s=30)]
        with room(file) as (running, address):
            until(lambda: len(receiver.asked) == 2, 120, "a try that hangs")
            assert "reports" in httpx.get(f"{address}/healthz").json()["troubles"]
            running.send_signal(signal.SIGKILL)
            running.wait(10)
        assert receiver.statuses == []
        with room(file) as (running, address):
            until(lambda: receiver.statuses == ["final", "amended"], 120, "both reports")
            until(lambda: not asyncio.run(objects.sizes(keys.REPORTS_DUE)), 10, "no note is left")
            told = httpx.get(f"{address}/metrics").text
            assert 'leukoscope_fhir_posts_total{outcome="taken"} 2.0' in told
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0
    kept = asyncio.run(objects.sizes(keys.reports(cloud_settings.site, "s1")))
    assert sorted(key.rpartition("/")[2] for key in kept) == [
        "000001.fhir.json",
        "000001.pdf",
        "000002.fhir.json",
        "000002.pdf",
    ]
