"""Publishing, promoting and rolling back, in a real store: nothing is overwritten unseen."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from bundles import signing_keys

from model.bundle.signing import sign
from model.errors import ModelError
from model.registry.bucket import Bucket
from model.registry.listing import versions
from model.registry.pointer import live, promote, rollback
from model.registry.publish import publish
from wire.manifest import BundleError, read_manifest
from wire.registry import RegistryError, history_key, pointer_key, read_pointer

pytestmark = pytest.mark.system

Bundles = Callable[[str], Path]
NAME = "acgan"


def published(bucket: Bucket, bundle: Bundles, *wanted: str) -> None:
    for version in wanted:
        publish(bundle(version), bucket)


def live_version(bucket: Bucket) -> str:
    found = live(bucket, NAME)
    assert found is not None
    return found.pointer.version


def test_every_file_is_published_as_it_is_and_nothing_is_live_by_that(
    bucket: Bucket, bundle: Bundles
) -> None:
    folder = bundle("1.0")
    done = publish(folder, bucket)
    files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
    assert bucket.sizes("models/") == {
        f"models/acgan/1.0/{name}": path.stat().st_size for name, path in files.items()
    }
    assert (done.files, done.already) == (len(files), False)
    assert done.sha256 == read_manifest(folder)[1]
    assert live(bucket, NAME) is None


def test_the_same_bundle_again_is_already_published(bucket: Bucket, bundle: Bundles) -> None:
    folder = bundle("1.0")
    publish(folder, bucket)
    assert publish(folder, bucket).already


def test_the_same_bundle_signed_again_is_already_published_with_its_first_signature(
    bucket: Bucket, bundle: Bundles
) -> None:
    folder = bundle("1.0")
    publish(folder, bucket)
    first = bucket.read("models/acgan/1.0/model.sig")
    sign(folder, signing_keys().private)
    assert publish(folder, bucket).already
    assert first is not None
    assert first.data != (folder / "model.sig").read_bytes()
    assert bucket.read("models/acgan/1.0/model.sig") == first


def test_another_bundle_under_a_version_that_is_taken_is_refused(
    bucket: Bucket, bundle: Bundles
) -> None:
    publish(bundle("1.0"), bucket)
    with pytest.raises(ModelError, match=r"acgan 1\.0 is already published with another digest"):
        publish(bundle("1.1"), bucket, version="1.0")


def test_a_damaged_bundle_is_not_published(bucket: Bucket, bundle: Bundles) -> None:
    folder = bundle("1.0")
    with (folder / "MODEL_CARD.md").open("a") as card:
        card.write("better than it is\n")
    with pytest.raises(BundleError, match=r"MODEL_CARD\.md"):
        publish(folder, bucket)
    assert bucket.sizes("models/") == {}


def test_a_publication_that_was_cut_short_is_taken_up_again(
    bucket: Bucket, bundle: Bundles
) -> None:
    folder = bundle("1.0")
    first = "models/acgan/1.0/MODEL_CARD.md"
    assert bucket.create(first, (folder / "MODEL_CARD.md").read_bytes())
    with pytest.raises(ModelError, match=r"not complete: models/acgan/1\.0/manifest\.json"):
        promote(bucket, NAME, "1.0")
    assert not publish(folder, bucket).already
    assert promote(bucket, NAME, "1.0").moved


def test_a_publication_meets_no_half_of_another(bucket: Bucket, bundle: Bundles) -> None:
    assert bucket.create("models/acgan/1.0/MODEL_CARD.md", b"another card")
    with pytest.raises(ModelError, match="is there already and is another file"):
        publish(bundle("1.0"), bucket)
    assert bucket.read("models/acgan/1.0/manifest.json") is None


def test_of_many_that_publish_at_a_time_under_one_version_one_is_whole(
    bucket: Bucket, bundle: Bundles
) -> None:
    folders = [bundle(f"1.{n}") for n in range(4)]

    def attempt(folder: Path) -> str | None:
        try:
            return publish(folder, bucket, version="2.0").sha256
        except ModelError:
            return None

    with ThreadPoolExecutor(4) as together:
        digests = [digest for digest in together.map(attempt, folders) if digest]
    assert len(digests) == 1
    assert promote(bucket, NAME, "2.0").pointer.sha256 == digests[0]


def test_promotion_moves_the_pointer_and_keeps_the_one_before(
    bucket: Bucket, bundle: Bundles
) -> None:
    published(bucket, bundle, "1.0", "1.1")
    first = promote(bucket, NAME, "1.0", by="ada").pointer
    second = promote(bucket, NAME, "1.1", by="bob").pointer
    assert (first.number, first.previous, first.by) == (1, None, "ada")
    assert (second.number, second.previous, second.by) == (2, 1, "bob")
    assert live_version(bucket) == "1.1"
    kept = bucket.read(history_key(NAME, 1))
    assert kept is not None
    assert read_pointer(kept.data, "k") == first


def test_what_is_live_already_stays_as_it_is(bucket: Bucket, bundle: Bundles) -> None:
    published(bucket, bundle, "1.0")
    first = promote(bucket, NAME, "1.0")
    again = promote(bucket, NAME, "1.0")
    assert (again.moved, again.pointer) == (False, first.pointer)


def test_what_is_live_is_promoted_again_for_those_who_refused_it_and_rolls_back_as_before(
    bucket: Bucket, bundle: Bundles
) -> None:
    published(bucket, bundle, "1.0", "1.1")
    promote(bucket, NAME, "1.0")
    promote(bucket, NAME, "1.1")
    again = promote(bucket, NAME, "1.1", again=True)
    assert (again.moved, again.pointer.number, again.pointer.previous) == (True, 3, 1)
    rollback(bucket, NAME)
    assert live_version(bucket) == "1.0"


def test_a_version_of_which_a_file_is_missing_is_not_promoted(
    bucket: Bucket, bundle: Bundles
) -> None:
    manifest = (bundle("1.0") / "manifest.json").read_bytes()
    assert bucket.create("models/acgan/1.0/manifest.json", manifest)
    with pytest.raises(ModelError, match=r"not complete: .*classifier\.onnx.* not there"):
        promote(bucket, NAME, "1.0")
    assert live(bucket, NAME) is None


def test_rolling_back_goes_back_step_by_step_and_not_forth_again(
    bucket: Bucket, bundle: Bundles
) -> None:
    published(bucket, bundle, "1.0", "1.1", "1.2")
    for version in ("1.0", "1.1", "1.2"):
        promote(bucket, NAME, version)
    rollback(bucket, NAME)
    assert live_version(bucket) == "1.1"
    rollback(bucket, NAME)
    assert live_version(bucket) == "1.0"
    with pytest.raises(ModelError, match=r"no version of acgan was live before 1\.0"):
        rollback(bucket, NAME)
    promote(bucket, NAME, "1.2")
    rollback(bucket, NAME)
    assert live_version(bucket) == "1.0"


def test_nothing_promoted_is_nothing_to_roll_back(bucket: Bucket) -> None:
    with pytest.raises(ModelError, match="nothing of acgan was promoted yet"):
        rollback(bucket, NAME)


def test_a_promoter_who_looked_before_another_moved_is_told_so(
    bucket: Bucket, bundle: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(bucket, bundle, "1.0", "1.1", "1.2")
    promote(bucket, NAME, "1.0")
    stale = live(bucket, NAME)
    promote(bucket, NAME, "1.1")
    monkeypatch.setattr("model.registry.pointer.live", lambda *_: stale)
    with pytest.raises(ModelError, match=r"somebody else moved models/acgan/current\.json"):
        promote(bucket, NAME, "1.2")
    monkeypatch.undo()
    assert live_version(bucket) == "1.1"


def test_of_many_promoters_at_a_time_none_overwrites_another_unseen(
    bucket: Bucket, bundle: Bundles
) -> None:
    wanted = [f"1.{n}" for n in range(4)]
    published(bucket, bundle, *wanted)
    refused: list[str] = []

    def attempt(version: str) -> int | None:
        try:
            return promote(bucket, NAME, version).pointer.number
        except ModelError as error:
            refused.append(str(error))
            return None

    with ThreadPoolExecutor(4) as together:
        numbers = [number for number in together.map(attempt, wanted) if number]
    assert all("somebody else moved" in sentence for sentence in refused)
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    found = live(bucket, NAME)
    assert found is not None
    assert found.pointer.number == len(numbers)


def test_a_damaged_pointer_is_named_and_not_moved(bucket: Bucket, bundle: Bundles) -> None:
    published(bucket, bundle, "1.0")
    assert bucket.create(pointer_key(NAME), b"{}")
    with pytest.raises(RegistryError, match=r"models/acgan/current\.json is no pointer"):
        promote(bucket, NAME, "1.0")


def test_the_list_says_what_is_live_and_what_is_not_complete(
    bucket: Bucket, bundle: Bundles
) -> None:
    published(bucket, bundle, "1.0", "1.1")
    assert bucket.create("models/acgan/0.9/classifier.onnx", b"half")
    promote(bucket, NAME, "1.0")
    promote(bucket, NAME, "1.1")
    found, pointer = versions(bucket, NAME)
    assert [(v.version, v.live, bool(v.trouble)) for v in found] == [
        ("0.9", False, True),
        ("1.0", False, False),
        ("1.1", True, False),
    ]
    assert pointer is not None
    assert pointer.version == "1.1"
