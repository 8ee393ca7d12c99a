import asyncio
import hashlib
import json

import msgspec
import obstore
import pytest
from frames import frame

from cloud.reading import read_frame
from cloud.refusal import Refusal
from cloud.stores import keys
from cloud.stores.objects import Objects, open_store
from cloud.worker.outcome import store_dead_letter, store_reading
from wire.codec import encode, encode_frame
from wire.topics import DeviceTopic
from wire.words import RESEARCH_USE_ONLY

SENDER = DeviceTopic("home", "scope-1", "frames")


@pytest.fixture
def reading(classifier):
    """`reading(frame)` reads it."""
    return lambda one: read_frame(encode_frame(one), SENDER, classifier)


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 15))


def test_a_new_capture_is_stored_with_its_image_and_answered_with_its_result(objects, reading):
    one = reading(frame(1))

    async def check():
        outcome = await store_reading(one, objects)
        assert outcome.result == one.published
        assert outcome.receipt.outcome == "stored"
        assert not outcome.receipt.duplicate
        assert outcome.receipt.key == keys.result("home", "scope-1", one.result.capture_id)
        assert await objects.get(outcome.receipt.key) == one.stored
        assert await objects.get(one.result.image_key) == one.image

    run(check())


def test_a_capture_met_again_is_answered_with_the_first_result(objects, reading):
    sent = frame(1)
    first, again = reading(sent), reading(sent)
    assert first.published != again.published  # another time of day at least

    async def check():
        await store_reading(first, objects)
        outcome = await store_reading(again, objects)
        assert outcome.receipt.duplicate
        assert outcome.receipt.outcome == "stored"
        assert outcome.result == first.published
        assert await objects.get(outcome.receipt.key) == first.stored

    run(check())


def test_many_repeats_at_once_are_one_result_and_one_first(objects, reading):
    one = reading(frame(1))

    async def check():
        outcomes = await asyncio.gather(*(store_reading(one, objects) for _ in range(16)))
        assert sum(not o.receipt.duplicate for o in outcomes) == 1
        assert {o.result for o in outcomes} == {one.published}

    run(check())


def test_another_image_under_a_used_capture_id_is_refused_and_changes_nothing(objects, reading):
    sent = frame(1)
    first = reading(sent)
    second = reading(frame(2, capture_id=sent.capture_id))

    async def check():
        await store_reading(first, objects)
        with pytest.raises(Refusal) as caught:
            await store_reading(second, objects)
        assert caught.value.reason == "capture-id-reused"
        assert caught.value.capture_id == sent.capture_id
        assert await objects.get(first.result.image_key) == sent.image
        key = keys.result("home", "scope-1", sent.capture_id)
        assert await objects.get(key) == first.stored

    run(check())


def test_a_result_of_another_version_counts_as_stored(objects, reading):
    one = reading(frame(1))
    key = keys.result("home", "scope-1", one.result.capture_id)

    async def check():
        await objects.put(key, b'{"schema": 2}')
        outcome = await store_reading(one, objects)
        assert outcome.receipt.outcome == "stored"
        assert outcome.receipt.duplicate
        assert outcome.result is None
        assert await objects.get(key) == b'{"schema": 2}'

    run(check())


class Vanishing(Objects):
    """A real store in which somebody deletes the result between the create and the read."""

    async def get(self, key: str) -> bytes | None:
        if key.startswith(keys.RESULTS):
            await obstore.delete_async(self._store, key)
        return await super().get(key)


def test_a_result_that_vanishes_between_two_requests_is_written_again(store, reading):
    objects = Vanishing(open_store(store), 0.2, lambda _: None)
    plain = Objects(open_store(store), 0.2, lambda _: None)
    one = reading(frame(1))

    async def check():
        await store_reading(one, objects)
        outcome = await store_reading(one, objects)
        assert outcome.receipt.outcome == "stored"
        assert outcome.result == one.published
        assert await plain.get(outcome.receipt.key) == one.stored

    run(check())


def test_a_dead_letter_keeps_the_bytes_and_says_why(objects):
    payload = b"\xc1 not a frame"
    digest = hashlib.sha256(payload).hexdigest()
    topic = "leukoscope/1/home/scope-1/frames"

    async def check():
        refusal = Refusal("message-unreadable", "it is no frame", None)
        outcome = await store_dead_letter(payload, topic, SENDER, refusal, objects)
        receipt = outcome.receipt
        assert outcome.result is None
        assert (receipt.outcome, receipt.reason) == ("refused", "message-unreadable")
        assert (receipt.capture_id, receipt.payload_sha256) == (None, digest)
        assert receipt.key == f"dead-letters/home/scope-1/{digest}.json"
        letter = json.loads(await objects.get(receipt.key))
        assert letter["notice"] == RESEARCH_USE_ONLY
        assert letter["detail"] == receipt.detail == "it is no frame"
        assert letter["topic"] == topic
        assert letter["payload_bytes"] == len(payload)
        assert await objects.get(receipt.key.removesuffix(".json") + ".bin") == payload

    run(check())


def test_the_same_dead_letter_twice_is_kept_once_with_the_first_reason(objects):
    async def check():
        first = await store_dead_letter(b"x", "t", SENDER, Refusal("a", "first"), objects)
        again = await store_dead_letter(b"x", "t", SENDER, Refusal("b", "second"), objects)
        assert first.receipt.key == again.receipt.key
        assert json.loads(await objects.get(first.receipt.key))["reason"] == "a"

    run(check())


def test_a_dead_letter_of_nobody_lies_under_unknown(objects):
    async def check():
        outcome = await store_dead_letter(b"", "a/b", None, Refusal("r", "s"), objects)
        assert outcome.receipt.key.startswith("dead-letters/unknown/unknown/")
        assert await objects.get(outcome.receipt.key.removesuffix(".json") + ".bin") == b""

    run(check())


def test_receipts_can_always_be_sent_as_json(objects):
    sentence = 'quotes " and ünïcode × and \x00'

    async def check():
        outcome = await store_dead_letter(b"z", "t", SENDER, Refusal("r", sentence), objects)
        assert msgspec.json.decode(encode(outcome.receipt))["detail"] == sentence

    run(check())
