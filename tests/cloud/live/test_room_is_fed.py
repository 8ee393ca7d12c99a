"""The reading room as a program has it: what a worker stores is on the worklist, by itself."""

import asyncio

import pytest
from brokers import clients
from feeding import is_what_the_bucket_says, soon, store_and_ring
from pydantic import SecretStr
from reading_room import account_of, client_of
from slide_results import field_result

from cloud.page.opening import open_room
from cloud.reviews.signing import new_key

pytestmark = pytest.mark.system


def test_a_stored_field_is_on_the_worklist_and_a_signature_comes_back_from_the_broker(
    cloud_settings, objects, tmp_path
):
    new_key(tmp_path / "review.pem")
    settings = cloud_settings.model_copy(
        update={
            "review_key": tmp_path / "review.pem",
            "index_url": _secret(tmp_path / "index.sqlite"),
            "accounts_url": _secret(tmp_path / "accounts.sqlite"),
        }
    )
    site = settings.site

    async def check(bell):
        async with open_room(settings) as room:
            room.accounts.add("ada", "reader", oidc=("https://id.example", "ada"))
            told = []
            following = asyncio.ensure_future(_follow(room.news, told))
            await soon(lambda: room.health.troubles() == {}, "all is well")
            await store_and_ring(objects, bell, field_result(1, ["Normal"], site=site))
            await soon(lambda: any(change.kind == "fields" for change in told), "the news")
            async with client_of(room, account_of(room, "ada").name) as client:
                (line,) = (await client.get("/api/worklist")).json()["slides"]
                assert (line["slide"], line["cells"], line["state"]) == ("s1", 1, "open")
                case = await room.desk.load(site, "s1")
                await room.desk.sign(site, "s1", "ada", shown=case.shown, last_seen=0)
                await soon(lambda: any(change.kind == "signed" for change in told), "the news")
                assert (await client.get("/api/worklist")).json()["slides"] == []
                told = (await client.get(f"/api/slides/{site}/s1")).json()
                assert told["signatures"][0]["reader"] == "ada"
            assert await is_what_the_bucket_says(objects, room.index, room.desk._trusted)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    with clients() as make:
        bell = make(settings.broker, "bell", persistent=False).start()
        asyncio.run(asyncio.wait_for(check(bell), 120))


async def _follow(news, told):
    async for change in news.follow():
        if change is not None:
            told.append(change)


def _secret(file):
    return SecretStr(f"sqlite:///{file}")
