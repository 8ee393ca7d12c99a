"""The worker follows the registry: what is promoted is verified, then live, or refused."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest
from bundles import renamed_bundle, signing_keys

from cloud.classifier import Classifier, Trust
from cloud.registry.cache import Cache
from cloud.registry.fetch import MAX_BYTES, fetch
from cloud.registry.models import Models
from cloud.stores.objects import Objects, open_store
from model.registry.bucket import Bucket
from model.registry.pointer import live, promote, rollback
from model.registry.publish import publish
from wire.manifest import BundleError, read_manifest
from wire.registry import RegistryError, pointer_key

pytestmark = pytest.mark.system

NAME = "acgan"


@pytest.fixture
def bucket(store):
    """The registry's side: `publish` and `promote` into this test's bucket."""
    with Bucket(store) as opened:
        yield opened


@pytest.fixture
def bundle(tmp_path):
    """Makes a bundle of a version."""
    return lambda version: renamed_bundle(tmp_path / f"bundle-{version}", NAME, version)


@pytest.fixture
def put(bucket, bundle):
    """Publishes versions and gives their digests."""
    return lambda *versions: [publish(bundle(v), bucket).sha256 for v in versions]


@pytest.fixture
def settings(cloud_settings, tmp_path):
    changes = {"model": NAME, "model_poll_s": 0.05, "model_cache": tmp_path / "cache"}
    return cloud_settings.model_copy(update=changes)


class Watch:
    """A watch that runs, and every word it said."""

    def __init__(self, settings, objects):
        self.words = []
        self.swaps = 0
        self.ready = asyncio.Event()
        self.models = Models(settings, objects, self._heard)

    def _heard(self, word, swapped):
        self.words.append(word)
        self.swaps += swapped

    async def until(self, true):
        async with asyncio.timeout(15):
            while not true(self):
                await asyncio.sleep(0.02)

    async def refused(self, count=1):
        await self.until(lambda w: sum(x.outcome == "refused" for x in w.words) >= count)
        return [word for word in self.words if word.outcome == "refused"][-1]

    async def digest(self, sha256):
        await self.until(lambda w: w.words and w.words[-1].live.sha256 == sha256)


@asynccontextmanager
async def watching(settings, objects):
    watch = Watch(settings, objects)
    task = asyncio.create_task(watch.models.follow(watch.ready.set))
    try:
        yield watch
        assert not task.done() or task.exception() is None
    finally:
        task.cancel()


@pytest.fixture
def run(settings, objects):
    """Runs a story with a watch."""

    def play(story, changed=settings, store=objects):
        async def played():
            async with watching(changed, store) as watch:
                await story(watch)

        asyncio.run(played())

    return play


def test_while_nothing_is_promoted_the_shipped_bundle_works_and_that_is_said(run, classifier):
    async def story(watch):
        await watch.ready.wait()
        (word,) = watch.words
        assert (word.outcome, word.live) == ("live", classifier.model)
        assert "models/acgan/current.json is not there" in word.reason

    run(story)


def test_without_a_model_to_follow_the_registry_is_never_asked(run, settings, classifier):
    asked = []

    class Nobody:
        async def get(self, key):
            asked.append(key)

    async def story(watch):
        await watch.ready.wait()
        assert watch.models.live.model == classifier.model
        assert [word.outcome for word in watch.words] == ["live"]

    run(story, settings.model_copy(update={"model": None}), Nobody())
    assert asked == []


def test_what_is_promoted_before_the_start_is_live_before_the_first_frame(run, put, bucket):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")

    async def story(watch):
        await watch.ready.wait()
        assert watch.models.live.model.sha256 == digest
        assert [(w.outcome, w.version, w.live.sha256) for w in watch.words] == [
            ("live", "1.0", digest)
        ]

    run(story)


def test_each_move_of_the_pointer_is_followed_and_said_once(run, put, bucket):
    first, second = put("1.0", "1.1")

    async def story(watch):
        await watch.ready.wait()
        for digest, move in (
            (first, lambda: promote(bucket, NAME, "1.0")),
            (second, lambda: promote(bucket, NAME, "1.1")),
            (first, lambda: rollback(bucket, NAME)),
        ):
            await asyncio.to_thread(move)
            await watch.digest(digest)
        await asyncio.sleep(0.3)
        assert [w.version for w in watch.words[1:]] == ["1.0", "1.1", "1.0"]
        assert watch.swaps == 3

    run(story)


def test_a_bundle_that_was_live_before_is_not_fetched_again(run, put, bucket, objects, monkeypatch):
    first, second = put("1.0", "1.1")
    fetched = []

    async def counted(pointer, *rest):
        fetched.append(pointer.version)
        await fetch(pointer, *rest)

    monkeypatch.setattr("cloud.registry.models.fetch", counted)

    async def story(watch):
        for version, digest in (("1.0", first), ("1.1", second), ("1.0", first)):
            await asyncio.to_thread(promote, bucket, NAME, version)
            await watch.digest(digest)

    run(story)
    assert fetched == ["1.0", "1.1"]


@pytest.mark.parametrize("file", ["classifier.onnx", "MODEL_CARD.md", "manifest.json"])
def test_a_bundle_with_one_bit_changed_in_the_bucket_is_refused_and_the_old_one_works_on(
    run, put, bucket, objects, file, settings
):
    first, second = put("1.0", "1.1")
    promote(bucket, NAME, "1.0")
    key = f"models/acgan/1.1/{file}"
    data = bytearray(bucket.read(key).data)
    data[len(data) // 2] ^= 1

    async def story(watch):
        await watch.digest(first)
        # Promoted while it was sound, and damaged before this worker came to fetch it.
        pointer = promote(bucket, NAME, "1.1").pointer
        assert pointer.sha256 == second
        word = await watch.refused()
        assert (word.version, word.sha256, word.live.sha256) == ("1.1", second, first)
        assert "models/acgan/1.1" in word.reason or "acgan 1.1" in word.reason
        assert str(settings.model_cache) not in word.reason
        assert watch.models.live.model.sha256 == first
        await asyncio.sleep(0.3)
        assert len(watch.words) == 2, "a refusal is said once"
        rollback(bucket, NAME)
        await watch.until(lambda w: w.words[-1].outcome == "live")
        assert watch.swaps == 1

    class Damaged(Objects):
        async def get(self, wanted):
            return bytes(data) if wanted == key else await super().get(wanted)

    run(story, store=Damaged(open_store(settings.store), 0.2, lambda _: None))
    assert {p.name for p in (settings.model_cache / NAME).iterdir()} == {first}


def test_an_incomplete_version_is_refused(run, put, bucket, objects):
    put("1.0")
    promote(bucket, NAME, "1.0")
    bucket._client.delete_object(Bucket=bucket._bucket, Key="models/acgan/1.0/manifest.json")

    async def story(watch):
        word = await watch.refused()
        assert "models/acgan/1.0/ holds no complete bundle" in word.reason
        assert watch.ready.is_set()

    run(story)


@pytest.mark.parametrize("data", [b"{}", b"not json"])
def test_a_pointer_that_is_none_is_refused_by_its_key(run, bucket, data, classifier):
    bucket.create(pointer_key(NAME), data)

    async def story(watch):
        word = await watch.refused()
        assert (word.name, word.version, word.sha256) == (NAME, "", None)
        assert "models/acgan/current.json is no pointer" in word.reason
        assert word.live == classifier.model

    run(story)


def test_a_pointer_of_another_model_is_refused(run, put, bucket):
    put("1.0")
    promote(bucket, NAME, "1.0")
    other = bucket.read(pointer_key(NAME)).data.replace(b'"acgan"', b'"other"')
    bucket.replace(pointer_key(NAME), other, bucket.read(pointer_key(NAME)).etag)

    async def story(watch):
        assert "points to another model, other" in (await watch.refused()).reason

    run(story)


def test_at_a_start_with_a_damaged_bundle_the_last_one_seen_live_here_works(run, put, bucket):
    first, _ = put("1.0", "1.1")
    promote(bucket, NAME, "1.0")

    async def before(watch):
        await watch.digest(first)

    run(before)
    promote(bucket, NAME, "1.1")
    key = "models/acgan/1.1/classifier.onnx"
    bucket.replace(key, b"damaged", bucket.read(key).etag)

    async def after(watch):
        await watch.ready.wait()
        (word,) = watch.words
        assert (word.outcome, word.version, word.live.sha256) == ("refused", "1.1", first)
        assert watch.models.live.model.sha256 == first

    run(after)


def test_what_was_refused_is_tried_again_when_told_to_look(run, put, bucket):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")
    key = "models/acgan/1.0/classifier.onnx"
    sound = bucket.read(key).data
    bucket.replace(key, b"damaged", bucket.read(key).etag)

    async def story(watch):
        await watch.refused()
        bucket.replace(key, sound, bucket.read(key).etag)
        await asyncio.sleep(0.3)
        assert len(watch.words) == 1
        watch.models.nudge()
        await watch.digest(digest)

    run(story)


def test_a_key_laid_into_the_trusted_folder_is_trusted_from_the_next_promotion_on(
    run, put, bucket, settings, tmp_path
):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")
    (tmp_path / "trusted").mkdir()

    async def story(watch):
        word = await watch.refused()
        assert "not among the 1 trusted" in word.reason
        shutil.copy(signing_keys().public, tmp_path / "trusted")
        promote(bucket, NAME, "1.0", again=True)
        await watch.digest(digest)

    run(story, settings.model_copy(update={"trusted_keys": (tmp_path / "trusted",)}))


def test_a_full_disk_is_told_once_and_the_exchange_made_up_for_later(run, put, bucket, monkeypatch):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")

    async def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cloud.registry.models.fetch", full)

    async def story(watch):
        word = await watch.refused()
        assert "No space left on device" in word.reason
        await asyncio.sleep(0.4)
        assert len(watch.words) == 1
        monkeypatch.undo()
        await watch.digest(digest)
        assert watch.words[-1].outcome == "live"

    run(story)


def test_a_pointer_that_vanishes_changes_nothing_and_is_said(run, put, bucket):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")

    async def story(watch):
        await watch.digest(digest)
        bucket._client.delete_object(Bucket=bucket._bucket, Key=pointer_key(NAME))
        await watch.until(lambda w: len(w.words) == 2)
        assert "the bundle that was live before works" in watch.words[-1].reason
        assert watch.models.live.model.sha256 == digest

    run(story)


def test_until_the_store_has_said_what_is_live_no_frame_is_taken(run, settings):
    away = settings.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    told = []

    async def story(watch):
        await watch.until(lambda _: told)
        await asyncio.sleep(0.5)
        assert not watch.ready.is_set()
        assert watch.words == []

    run(story, store=Objects(open_store(away), 0.2, told.append))
    assert "127.0.0.1:9" in told[0]


def test_a_kept_bundle_that_the_disk_has_damaged_is_fetched_anew(run, put, bucket, settings):
    (digest,) = put("1.0")
    promote(bucket, NAME, "1.0")

    async def story(watch):
        await watch.digest(digest)

    run(story)
    graph = settings.model_cache / NAME / digest / "classifier.onnx"
    graph.write_bytes(graph.read_bytes()[:-1])
    run(story)
    assert read_manifest(graph.parent)[1] == digest


def test_of_many_bundles_the_last_three_are_kept(tmp_path, bundle):
    trust = Trust((signing_keys().public,))
    cache = Cache(tmp_path / "cache", lambda folder: Classifier(folder, trust))
    digests = []
    for version in ("1", "2", "3", "4", "5"):
        with cache.building() as folder:
            made = bundle(version)
            shutil.copytree(made, folder, dirs_exist_ok=True)
            digests.append(cache.admit(folder, read_manifest(made)[1]).model.sha256)
    assert {p.name for p in (tmp_path / "cache").iterdir()} == set(digests[2:])
    assert cache.newest().model.sha256 == digests[4]
    assert cache.load(digests[0]) is None


def test_a_cache_folder_that_cannot_be_is_named_with_its_setting(settings, objects, tmp_path):
    (tmp_path / "file").write_text("in the way")
    changed = settings.model_copy(update={"model_cache": tmp_path / "file"})
    with pytest.raises(OSError, match="set model_cache to a folder that this user can write"):
        Models(changed, objects, lambda *_: None)


def test_a_model_name_that_may_not_be_one_is_refused_at_the_start(settings, objects):
    changed = settings.model_copy(update={"model": "../x"})
    with pytest.raises(RegistryError, match=r"model name '\.\./x' is not usable"):
        Models(changed, objects, lambda *_: None)


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"manifest.json": 10, "../../outside": 10}, "no name of a bundle's file"),
        ({"manifest.json": 10, "a\\b": 10}, "no name of a bundle's file"),
        ({"manifest.json": 10, "classifier.onnx": MAX_BYTES}, "a bundle has at most"),
        ({"manifest.json": 10} | {f"f{n}": 1 for n in range(64)}, "a bundle has at most"),
        ({"classifier.onnx": 10}, "no complete bundle"),
        ({}, "no complete bundle"),
    ],
)
def test_what_a_bucket_offers_is_looked_at_before_it_is_fetched(
    put, bucket, files, sentence, tmp_path
):
    put("1.0")
    promote(bucket, NAME, "1.0")
    pointer = live(bucket, NAME).pointer

    class Offer:
        async def sizes(self, prefix):
            return {prefix + name: size for name, size in files.items()}

        async def get(self, key):
            raise AssertionError(f"{key} was fetched")

    with pytest.raises(BundleError, match=sentence):
        asyncio.run(fetch(pointer, Offer(), tmp_path))
