import asyncio
import time
from itertools import pairwise

import pytest

from cloud.settings import StoreSettings
from cloud.stores.objects import Objects, open_store


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 15))


def test_what_was_put_is_read_back(objects):
    async def check():
        await objects.put("a/b.bin", b"\0\xff" * 100)
        assert await objects.get("a/b.bin") == b"\0\xff" * 100
        await objects.put("a/b.bin", b"new")
        assert await objects.get("a/b.bin") == b"new"

    run(check())


def test_an_object_is_created_once_and_the_first_stays(objects):
    async def check():
        assert await objects.create("one", b"first")
        assert not await objects.create("one", b"second")
        assert await objects.get("one") == b"first"

    run(check())


def test_of_many_creators_at_once_exactly_one_wins(objects):
    async def check():
        won = await asyncio.gather(*(objects.create("race", bytes([n])) for n in range(16)))
        assert sum(won) == 1
        assert await objects.get("race") == bytes([won.index(True)])

    run(check())


def test_an_absent_object_is_none(objects):
    assert run(objects.get("absent")) is None


def test_an_unreachable_store_is_waited_for_and_named(store):
    said = []
    away = store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    objects = Objects(open_store(away), 0.2, said.append)

    async def check():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(objects.put("k", b""), 1.5)

    run(check())
    assert len(said) >= 3
    assert all("127.0.0.1:9" in sentence for sentence in said)
    assert all("\n" not in sentence for sentence in said)


def test_a_wrong_secret_is_an_operator_s_mistake_so_the_frame_waits(store):
    said = []
    wrong = store.model_validate(store.model_dump() | {"secret_access_key": "no" * 20})
    objects = Objects(open_store(wrong), 0.2, said.append)

    async def check():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(objects.create("k", b""), 1)

    run(check())
    assert said
    assert all("privileges" in sentence or "403" in sentence for sentence in said)


def test_a_missing_bucket_is_no_missing_object(store):
    said = []
    nowhere = store.model_copy(update={"bucket": "no-such-bucket"})
    objects = Objects(open_store(nowhere), 0.2, said.append)

    async def check():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(objects.get("k"), 1)

    run(check())
    assert set(said) == {"the bucket does not exist: run leukoscope-cloud setup"}


def test_waits_between_tries_are_bounded(store):
    tries = []
    away = store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    objects = Objects(open_store(away), 0.3, lambda _: tries.append(time.monotonic()))

    async def check():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(objects.put("k", b""), 4)

    run(check())
    pauses = [b - a for a, b in pairwise(tries)]
    assert max(pauses) < 2


def test_amazon_s3_is_opened_with_neither_endpoint_nor_keys_in_the_settings():
    """It takes the keys of the machine's role, and knows its own address."""
    assert open_store(StoreSettings(region="eu-central-1")).config["bucket"] == "leukoscope"
