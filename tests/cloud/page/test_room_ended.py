"""Work beside the page that ends by a fault is no mere line of the log."""

import asyncio

import pytest
from reading_desk import run
from reading_room import client_of, room_settings
from structlog.testing import capture_logs

from cloud.page.health import Health
from cloud.page.opening import open_room
from cloud.push.keys import new_push_key
from cloud.reviews.signing import new_key

WORKS = {
    "cloud.page.opening.Feeder.keep": "feeder",
    "cloud.page.opening.SlideSums.keep": "slides",
    "cloud.signing.outbox.Outbox.keep": "reports",
    "cloud.page.opening._look_at": "store",
    "cloud.page.opening.Watch.keep": "push",
    "cloud.push.push.Push.keep": "push",
}


async def _breaks(*_):
    raise RuntimeError("a bug")


async def _goes_on(*_):
    await asyncio.Event().wait()


@pytest.mark.parametrize("broken", WORKS)
def test_healthz_names_the_part_whose_work_has_ended(tmp_path, monkeypatch, broken):
    for name in WORKS:
        monkeypatch.setattr(name, _breaks if name == broken else _goes_on)
    for file, make in (("review.pem", new_key), ("push.pem", new_push_key)):
        make(tmp_path / file)
    urls = {f"{name}_url": f"sqlite:///{tmp_path / name}.sqlite" for name in ("index", "accounts")}
    settings = room_settings(
        review_key=tmp_path / "review.pem", push_key=tmp_path / "push.pem",
        push_contact="mailto:lab@example.org", broker={"port": 9}, **urls,
    )  # fmt: skip

    async def look():
        async with open_room(settings) as room, client_of(room) as client:
            await asyncio.sleep(0)
            answer = await client.get("/healthz")
            assert answer.status_code == 503
            assert answer.json()["ended"] == [WORKS[broken]]
            assert WORKS[broken] in answer.json()["troubles"]

    with capture_logs() as logs:
        run(look())
    assert [log["part"] for log in logs if log["event"] == "room_work_ended"] == [WORKS[broken]]


def test_what_has_ended_is_not_well_because_another_found_the_part_to_work():
    health = Health()
    health.end("store", "a bug")
    health.set("store", None)
    assert (health.troubles()["store"], health.ended()) == ("a bug", ["store"])


def test_that_work_ends_with_the_room_is_no_trouble():
    health = Health()
    health.close()
    health.end("feeder", "a bug")
    assert health.ended() == []
