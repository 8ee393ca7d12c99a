"""A slide is published as signed only where a trusted key bears that out."""

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reading_desk import TRUSTED, room, run

from cloud.reviews.entry import Comment, read
from cloud.reviews.signing import ReviewKeyError, configured_keys, new_key, public_file, sign
from cloud.settings import CloudSettings
from cloud.slides.signed import Signatures, SlideName
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire import topics
from wire.codec import decode
from wire.messages import SlideResult

S1 = SlideName("home", "s1")


def key(number):
    return keys.review("home", "s1", number)


async def signed_and_amended(here):
    await here.do(Comment("fine"))
    await here.sign()
    await here.amend("a second look")


async def forged(here, number, **changes):
    """Rewrite an entry, signed by somebody's own key."""
    _, entry = read(await here.objects.get(key(number)))
    data = sign(msgspec.structs.replace(entry, **changes), Ed25519PrivateKey.generate())
    await here.objects.put(key(number), data)


async def by_a_stranger(here):
    await forged(here, 2, reader="mallory")


async def a_comment_by_a_stranger(here):
    await forged(here, 1)


async def with_changed_counts(here):
    data = await here.objects.get(key(3))
    assert b'"Normal":2' in data
    await here.objects.put(key(3), data.replace(b'"Normal":2', b'"Normal":0'))


async def without_its_middle(here):
    await here.objects.delete(key(2))


async def without_its_beginning(here):
    await here.objects.delete(key(1))


async def cut_short(here):
    await here.objects.put(key(3), b"{")


ALTERATIONS = {
    by_a_stranger: "000002.json is signed by a key that is not among review_trusted",
    a_comment_by_a_stranger: "000001.json is signed by a key that is not among review_trusted",
    with_changed_counts: "000003.json is not what was signed",
    without_its_middle: "000003.json was not written behind the entry that is before it",
    without_its_beginning: "000002.json was not written behind the entry that is before it",
    cut_short: "000003.json is no entry",
}


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda way: way.__name__)
def test_what_no_trusted_key_bears_out_is_published_as_preliminary_and_said(alter):
    async def check():
        async with room([["Normal", "Normal"]]) as here:
            await signed_and_amended(here)
            sound = Signatures(here.objects, TRUSTED)
            assert (await sound.last(S1)).state == "amended"
            assert sound.doubt is None
            await alter(here)
            said, doubts = {}, []

            async def say(topic, payload):
                said[topic] = decode(payload, SlideResult)

            sums = SlideSums("w", here.objects, say, doubts.append, trusted=TRUSTED)
            async with sums.expecting("home", "s1"):
                pass
            await sums.finish(10)
            assert said[topics.slides("home", "s1")].state == "preliminary"
            assert "slide s1 is published as preliminary: reviews/home/s1/" in doubts[-1]
            assert ALTERATIONS[alter] in doubts[-1]

    run(check())


def test_a_worker_without_keys_says_so_and_only_where_somebody_has_signed():
    async def check():
        async with room([["Normal", "Normal"]]) as here:
            bare = Signatures(here.objects, {})
            await here.do(Comment("fine"))
            assert (await bare.last(S1), bare.doubt) == (None, None)
            await here.sign()
            assert await bare.last(S1) is None
            assert "not among review_trusted" in bare.doubt
            assert (await Signatures(here.objects, TRUSTED).last(S1)).state == "signed"

    run(check())


def test_a_doubt_goes_when_the_chain_is_mended():
    async def check():
        async with room([["Normal"]]) as here:
            await here.sign()
            data = await here.objects.get(key(1))
            await by_copying_it_to_another_slide(here, data)
            signatures = Signatures(here.objects, TRUSTED)
            other = SlideName("home", "s2")
            assert await signatures.last(other) is None
            assert "misplaced" in signatures.doubt
            assert (await signatures.last(S1)).state == "signed"
            assert "misplaced" in signatures.doubt
            await here.objects.delete(keys.review("home", "s2", 1))
            assert await signatures.last(other) is None
            assert signatures.doubt is None

    run(check())


async def by_copying_it_to_another_slide(here, data):
    await here.objects.put(keys.review("home", "s2", 1), data)


class Watched(Objects):
    reads = 0

    async def get(self, key):
        self.reads += 1
        return await super().get(key)


def test_an_entry_is_read_once():
    async def check():
        async with room([["Normal"]]) as here:
            await here.sign()
            watched = Watched(here.store, 0.1, lambda _: None)
            signatures = Signatures(watched, TRUSTED)
            for _ in range(3):
                assert (await signatures.last(S1)).state == "signed"
            assert watched.reads == 1

    run(check())


def test_the_keys_are_those_that_are_set_and_one_s_own(tmp_path):
    assert configured_keys(CloudSettings()) == {}
    own, other = tmp_path / "own.pem", tmp_path / "other.pem"
    for file in (own, other):
        new_key(file)
    settings = CloudSettings(review_key=own, review_trusted=[public_file(other)])
    assert len(configured_keys(settings)) == 2
    with pytest.raises(ReviewKeyError, match=r"review_trusted .*none\.pub cannot be read"):
        configured_keys(CloudSettings(review_trusted=[tmp_path / "none.pub"]))
