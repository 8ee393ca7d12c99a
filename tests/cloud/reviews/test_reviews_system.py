"""Reviews at a real store and a real broker, and the commands that look at them."""

import asyncio
import json
import subprocess
import sys
import time

import pytest
import tomli_w
from reading_desk import LABELS
from rig import until
from slide_results import field_result, reading

from cloud.reviews.desk import Desk
from cloud.reviews.entry import Comment, Reclassify, See
from cloud.reviews.rules import ReviewRefused
from cloud.reviews.signing import configured_keys, load_key
from cloud.settings import CloudSettings
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.worker.confirm import publish_until_answered
from cloud.worker.outcome import store_reading
from wire import topics
from wire.codec import decode
from wire.connection import Connection, Publication
from wire.messages import SlideResult, SlideReview

pytestmark = pytest.mark.system


def cloud(*arguments):
    command = [sys.executable, "-m", "cloud", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def key_file(tmp_path):
    """A key as `review-key` makes it."""
    file = tmp_path / "review.pem"
    made = cloud("review-key", file)
    assert made.returncode == 0, made.stderr
    assert str(file) in made.stdout
    assert cloud("review-key", file).returncode == 1
    return file


@pytest.fixture
def verify(tmp_path, store, key_file):
    """`verify(…)` runs it as a person would, with the public key only."""
    plain = store.model_dump(exclude_none=True, exclude={"secret_access_key"})
    secret = {"secret_access_key": store.secret_access_key.get_secret_value()}
    settings = {"store": plain | secret, "review_trusted": [f"{key_file}.pub"]}
    file = tmp_path / "cloud.toml"
    file.write_text(tomli_w.dumps(settings))
    return lambda *arguments: cloud("verify", "--config", file, *arguments)


def test_two_readers_sign_one_slide_and_verify_finds_it_sound_and_then_altered(
    objects, cloud_settings, station, key_file, verify, tmp_path
):
    site = cloud_settings.site
    station.subscribe(topics.reviews(site, "s1"), 1)
    station.subscribe(topics.slides(site, "s1"), 1)
    time.sleep(0.3)
    connection = Connection(cloud_settings.broker, f"desk-{site}", persistent=False)
    connection.start()
    assert connection.wait_connected(20)

    async def review():
        for number, labels in enumerate(LABELS):
            await store_reading(reading(field_result(number, labels, site=site)), objects)

        async def say(topic, payload):
            await publish_until_answered(connection, Publication(topic, payload, retain=True))

        trusted = configured_keys(CloudSettings(review_key=key_file))
        sums = SlideSums("desk", objects, say, lambda _: None, trusted=trusted)
        keeping = asyncio.ensure_future(sums.keep())

        def desk():
            tell = lambda *what: connection.publish(Publication(*what))  # noqa: E731  # one line
            return Desk(objects, load_key(key_file), {}, sums, tell)

        case = await desk().load(site, "s1")
        machine = case.slide.machine
        cells = {
            label: [c for c, said in machine.items() if said == label] for label in machine.values()
        }
        await asyncio.gather(
            desk().act(site, "s1", "ada", See(cells["ALL"] + cells["AML"]), last_seen=0),
            desk().act(site, "s1", "grace", Reclassify(cells["unidentified"], "AML"), last_seen=0),
            *(desk().act(site, "s1", "ada", Comment(f"{n}"), last_seen=0) for n in range(4)),
        )
        tried = await asyncio.gather(
            *(
                desk().sign(site, "s1", who, shown=case.shown, last_seen=6)
                for who in ("ada", "grace")
            ),
            return_exceptions=True,
        )
        assert sum(isinstance(one, ReviewRefused) for one in tried) == 1
        while await objects.sizes(keys.SLIDES_DUE):
            await asyncio.sleep(0.05)
        keeping.cancel()

    asyncio.run(asyncio.wait_for(review(), 60))
    until(lambda: any("/reviews/" in m.topic for m in station.heard), 20, "the signature")
    connection.stop()
    (signed,) = [decode(m.payload, SlideReview) for m in station.heard if "/reviews/" in m.topic]
    assert (signed.state, signed.number) == ("signed", 7)
    assert signed.counts == {"ALL": 1, "AML": 2, "Normal": 4, "unidentified": 0}
    slide = [decode(m.payload, SlideResult) for m in station.heard if "/slides/" in m.topic][-1]
    assert (slide.state, slide.counts) == ("signed", signed.counts)

    sound = verify("s1")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "7 entries, signed" in sound.stdout
    told = verify("--all", "--json")
    assert told.returncode == 0
    assert json.loads(told.stdout)["head"] == signed.entry_sha256
    heads = tmp_path / "heads.jsonl"
    heads.write_text(told.stdout)
    for key in (keys.review(site, "s1", 7), keys.witness(site, "s1", 7)):
        asyncio.run(objects.delete(key))
    assert verify("--all").returncode == 0  # a cut-off end that took its witness along
    cut = verify("--all", "--heads", heads)
    assert cut.returncode == 1
    assert "entry 7: gap" in cut.stdout
    asyncio.run(objects.delete(keys.review(site, "s1", 3)))
    altered = verify("s1")
    assert altered.returncode == 1
    assert "entry 3: gap" in altered.stdout


def test_verify_without_a_key_or_without_a_slide_says_what_to_do(verify, tmp_path, store):
    assert verify().returncode == 2
    none = verify("no-such-slide")
    assert (none.returncode, "has no reviews" in none.stdout) == (1, True)
    file = tmp_path / "bare.toml"
    file.write_text(tomli_w.dumps({"store": {"endpoint": store.endpoint}}))
    bare = cloud("verify", "--all", "--config", file)
    assert bare.returncode == 2
    assert "review_trusted" in bare.stderr
