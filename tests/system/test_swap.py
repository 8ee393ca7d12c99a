"""Bundles exchanged under load, on real parts: nothing lost, and no result by what was not live."""

import json
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from bundles import renamed_bundle, signing_keys
from frames import frame
from rig import Rig, until

from edge.agent import Agent, Hooks
from edge.spool import Spool
from model.registry.bucket import Bucket
from model.registry.pointer import live, promote, rollback
from model.registry.publish import publish
from wire import topics
from wire.codec import decode
from wire.connection import Callbacks, Connection
from wire.messages import FrameResult, ModelAnnouncement

pytestmark = pytest.mark.system

NAME = "acgan"
SWAPS = 20
PAUSE_S = 0.04
"""Between two captures."""


@pytest.fixture
def rig(broker, tmp_path):
    """A worker that follows a model; the shipped bundle works while none is promoted."""
    opened = Rig(
        tmp_path / "home",
        broker,
        model=NAME,
        model_poll_s=0.1,
        model_cache=str(tmp_path / "cache"),
        trusted_keys=[str(signing_keys().public)],
    )
    yield opened
    opened.close()


@pytest.fixture
def bucket(rig):
    """The registry, with three versions published."""
    with Bucket(rig.cloud_settings.store) as opened:
        for version in ("1.0", "1.1", "1.2"):
            folder = renamed_bundle(rig.home.folder / f"bundle-{version}", NAME, version)
            publish(folder, opened)
        yield opened


class Announcements:
    """What the worker says of its model, as a reader of the site hears it."""

    def __init__(self, rig):
        self.heard = []
        self._connection = Connection(
            rig.cloud_settings.broker,
            "reader",
            subscriptions=[topics.models("home")],
            callbacks=Callbacks(
                message=lambda delivery: self.heard.append(
                    decode(delivery.payload, ModelAnnouncement)
                )
            ),
            persistent=False,
        )

    def __enter__(self):
        self._connection.start()
        return self

    def __exit__(self, *_):
        self._connection.stop()

    def next(self, since, outcome):
        """The first announcement after so many, which must come."""
        until(lambda: len(self.heard) > since, 60, f"an announcement: {outcome}")
        word = self.heard[since]
        assert word.outcome == outcome, word
        return word


@dataclass
class Station:
    """The agent with its spool, capturing all the time."""

    settings: object
    sent: list[str] = field(default_factory=list)
    receipts: list = field(default_factory=list)

    def __enter__(self):
        self.spool = Spool(self.settings.spool_file)
        self.agent = Agent(self.settings, self.spool, hooks=Hooks(settled=self.receipts.append))
        self.agent.start()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._capture)
        self._thread.start()
        return self

    def _capture(self):
        while not self._stop.wait(PAUSE_S):
            one = frame(len(self.sent))
            self.spool.save(one)
            self.sent.append(one.capture_id)
            self.agent.wake()

    def finish(self):
        """Capture no more, and wait until the spool is empty."""
        self._stop.set()
        self._thread.join()
        until(lambda: self.spool.status().waiting == 0, 60, "the spool is empty")

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()
        self.agent.stop()
        self.spool.close()


def lives(words) -> list[tuple[str, datetime, datetime | None]]:
    """Digest, beginning and end of each stretch for which a bundle was live; None: to the end."""
    stretches = []
    for word in words:
        if stretches and stretches[-1][0] == word.live.sha256:
            continue
        if stretches:
            stretches[-1] = (*stretches[-1][:2], word.at)
        stretches.append((word.live.sha256, word.at, None))
    return stretches


def was_live(result: FrameResult, stretches) -> bool:
    """Whether its bundle was live at some time between its capture and its classification."""
    return any(
        digest == result.model.sha256
        and since <= result.classified_at
        and (end is None or result.captured_at <= end)
        for digest, since, end in stretches
    )


def test_20_exchanges_under_load_lose_no_frame_and_no_result_names_what_was_not_live(rig, bucket):
    with Announcements(rig) as told, Station(rig.edge_settings(window=64)) as station:
        first = told.next(0, "live")  # the shipped bundle, once the worker knows of the site
        assert "is not there" in first.reason
        for swap in range(SWAPS):
            done = len(told.heard)
            if swap % 4 == 3:
                moved = rollback(bucket, NAME).pointer
            else:
                moved = promote(bucket, NAME, f"1.{swap % 4}").pointer
            word = told.next(done, "live")
            assert (word.sha256, word.live.sha256) == (moved.sha256, moved.sha256)
            time.sleep(0.2)
            if swap == SWAPS // 2:
                refuse_a_damaged_one(rig, bucket, told)
        station.finish()
        sent, receipts = station.sent, station.receipts

    results = [json.loads(rig.read(key)) for key in rig.keys("results/")]
    stored = [decode(json.dumps(result).encode(), FrameResult) for result in results]
    assert sorted(r.capture_id for r in stored) == sorted(sent)
    assert sorted(r.capture_id for r in receipts) == sorted(sent)
    assert {r.outcome for r in receipts} == {"stored"}
    assert rig.keys("dead-letters/") == []

    stretches = lives(told.heard)
    assert [r.capture_id for r in stored if not was_live(r, stretches)] == []
    by_digest = {r.model.sha256 for r in stored}
    assert by_digest <= {digest for digest, _, _ in stretches}
    assert len(by_digest) == 4, "the load met the shipped bundle and all three published ones"
    assert len(sent) > 5 * SWAPS
    health = healthz(rig)
    assert health["swaps"] == SWAPS
    assert health["warnings"] == {}


def refuse_a_damaged_one(rig, bucket, told):
    """Promote a bundle that the bucket has damaged; see it refused, then go back."""
    before, done = live(bucket, NAME).pointer, len(told.heard)
    publish(renamed_bundle(rig.home.folder / "bundle-bad", NAME, "bad"), bucket)
    key = f"models/{NAME}/bad/classifier.onnx"
    found = bucket.read(key)
    flipped = bytearray(found.data)
    flipped[len(flipped) // 2] ^= 1
    assert bucket.replace(key, bytes(flipped), found.etag)
    promote(bucket, NAME, "bad")
    word = told.next(done, "refused")
    assert (word.version, word.live.sha256) == ("bad", before.sha256)
    assert f"{key} is not the file the manifest names" in word.reason
    assert "bad is refused" in healthz(rig)["warnings"]["model"]
    time.sleep(0.5)  # frames go on, by the one before
    rollback(bucket, NAME)
    assert told.next(done + 1, "live").live.sha256 == before.sha256


def healthz(rig):
    url = f"http://127.0.0.1:{rig.home.ports['health']}/healthz"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.loads(answer.read())
