import asyncio
import re
import socket
import struct
import time

import pytest
from bundles import renamed_bundle
from frames import frame
from prometheus_client import generate_latest
from rig import until

import cloud.worker.service as service
from cloud.stores import keys
from cloud.stores.objects import Objects, open_store
from model.registry.bucket import Bucket
from model.registry.pointer import promote
from model.registry.publish import publish
from wire import topics
from wire.codec import decode, encode_frame
from wire.messages import FrameResult, ModelAnnouncement, Receipt

pytestmark = pytest.mark.system


class Sent:
    """Frames published at a worker, and what it answered."""

    def __init__(self, station, settings):
        self.station = station
        self.settings = settings
        station.subscribe(topics.device(settings.site, "scope-1", "receipts"), 1)
        station.subscribe(topics.results(settings.site, "scope-1"), 1)
        time.sleep(0.3)

    def frame(self, seed=0, **changes):
        one = frame(seed, site=self.settings.site, **changes)
        self.payload(encode_frame(one))
        return one

    def payload(self, payload, channel="frames", qos=1):
        topic = f"leukoscope/1/{self.settings.site}/scope-1/{channel}"
        self.station.publish(topic, payload, qos)

    @property
    def receipts(self):
        return [
            decode(m.payload, Receipt) for m in self.station.heard if m.topic.endswith("receipts")
        ]

    @property
    def results(self):
        return [
            decode(m.payload, FrameResult) for m in self.station.heard if "/results/" in m.topic
        ]

    def wait(self, count, seconds=20):
        until(lambda: len(self.receipts) >= count, seconds, f"{count} receipts")


@pytest.fixture
def sent(station, cloud_settings):
    return Sent(station, cloud_settings)


def value(served, name, **labels):
    return served.worker._metrics.registry.get_sample_value(name, labels)


def in_bucket(store, key):
    return asyncio.run(Objects(open_store(store), 0.2, lambda _: None).get(key))


def test_a_frame_is_stored_published_and_receipted(serving, sent, cloud_settings):
    with serving(cloud_settings) as served:
        one = sent.frame(1)
        sent.wait(1)
        until(lambda: sent.results, 5, "the result")
        (receipt,) = sent.receipts
        assert (receipt.capture_id, receipt.outcome) == (one.capture_id, "stored")
        assert sent.results[0].capture_id == one.capture_id
        assert value(served, "leukoscope_frames_total", outcome="stored") == 1
        assert value(served, "leukoscope_stage_seconds_count", stage="whole") == 1
        assert value(served, "leukoscope_broker_connected") == 1
        until(lambda: value(served, "leukoscope_frames_in_hand") == 0, 5, "an empty hand")


def test_an_answer_that_cannot_be_written_holds_up_no_frame_behind_it(
    serving, sent, cloud_settings, monkeypatch
):
    real, broken = service.encode, []

    def encode(message):
        if isinstance(message, Receipt) and message.capture_id in broken:
            raise OverflowError("a receipt that no encoder takes")
        return real(message)

    monkeypatch.setattr(service, "encode", encode)
    settings = cloud_settings.model_copy(update={"in_hand": 2})
    with serving(settings) as served:
        first = frame(0, site=settings.site)
        broken.append(first.capture_id)
        sent.payload(encode_frame(first))
        behind = [sent.frame(n) for n in range(1, 9)]
        sent.wait(8)
        assert {r.capture_id for r in sent.receipts} == {one.capture_id for one in behind}
        assert value(served, "leukoscope_frames_total", outcome="unanswered") == 1
        until(lambda: len(served.worker._hand) == 0, 5, "an empty hand")

        broken.clear()  # the station, without a receipt, sends it again
        sent.payload(encode_frame(first))
        sent.wait(9)
        assert sent.receipts[-1].capture_id == first.capture_id
        assert sent.receipts[-1].duplicate


@pytest.mark.parametrize("where", ["store_dead_letter", "_capture_id"])
def test_a_refusal_that_fails_itself_holds_up_no_frame_behind_it(
    where, serving, sent, cloud_settings, monkeypatch
):
    def fail(*_):
        raise LookupError("a fault of ours")

    class Panic(BaseException):
        """As a panic of the store's Rust code arrives in Python."""

    def panic(*_):
        raise Panic

    monkeypatch.setattr(service, where, panic if where == "store_dead_letter" else fail)
    monkeypatch.setattr(service, "read_frame", failing_on(service.read_frame, b"fault"))
    with serving(cloud_settings.model_copy(update={"in_hand": 2})) as served:
        for _ in range(5):
            sent.payload(b"fault")
        good = sent.frame(1)
        sent.wait(1)
        assert [r.capture_id for r in sent.receipts] == [good.capture_id]
        # More than five where the broker, slow, sends an unanswered one again.
        assert value(served, "leukoscope_frames_total", outcome="unanswered") >= 5


def failing_on(real, payload):
    def read_frame(given, *rest):
        if given == payload:
            raise ZeroDivisionError("a fault of ours")
        return real(given, *rest)

    return read_frame


def test_a_fault_of_the_worker_is_a_dead_letter_and_the_frames_behind_are_done(
    serving, sent, cloud_settings, monkeypatch
):
    monkeypatch.setattr(service, "read_frame", failing_on(service.read_frame, b"fault"))
    with serving(cloud_settings) as served:
        sent.payload(b"fault")
        sent.frame(1)
        sent.wait(2)
        refused = next(r for r in sent.receipts if r.outcome == "refused")
        assert refused.reason == "worker-fault"
        assert "ZeroDivisionError" in refused.detail
        assert b"ZeroDivisionError" in in_bucket(cloud_settings.store, refused.key)
        assert value(served, "leukoscope_refusals_total", reason="worker-fault") == 1


def test_an_empty_payload_is_refused(serving, sent, cloud_settings):
    with serving(cloud_settings):
        sent.payload(b"")
        sent.wait(1)
        assert sent.receipts[0].reason == "message-unreadable"


def test_a_topic_of_no_device_is_a_dead_letter_of_nobody(serving, sent, cloud_settings):
    with serving(cloud_settings) as served:
        sent.station.publish(f"leukoscope/1/{cloud_settings.site}/slides/frames", b"x", 1)
        until(
            lambda: value(served, "leukoscope_refusals_total", reason="topic-mismatch") == 1,
            10,
            "the refusal",
        )
        digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
        assert in_bucket(
            cloud_settings.store, keys.dead_letter("unknown", "unknown", digest) + ".bin"
        )


def raw_publish(home, topic: bytes, payload: bytes, qos: int = 1) -> None:
    """Publish with MQTT 3.1.1 by hand, as no client library lets one."""

    def text(data: bytes) -> bytes:
        return struct.pack(">H", len(data)) + data

    def packet(kind: int, body: bytes) -> bytes:
        assert len(body) < 128
        return bytes([kind, len(body)]) + body

    keys_ = home.credentials
    connect = (
        text(b"MQTT") + bytes([4, 0b1100_0010]) + struct.pack(">H", 30) + text(b"stranger")
        + text(keys_.broker_username.encode()) + text(keys_.broker_password.encode())
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", home.ports["mqtt"]), 5) as opened:
        opened.sendall(packet(0x10, connect))
        assert opened.recv(4)[3] == 0
        mid = struct.pack(">H", 1) if qos else b""
        opened.sendall(packet(0x30 | qos << 1, text(topic) + mid + payload))
        opened.settimeout(1)
        try:
            opened.recv(4)
        except TimeoutError:
            return


def test_a_topic_that_is_no_utf_8_disturbs_nothing(serving, sent, cloud_settings, home):
    site = cloud_settings.site.encode()
    with serving(cloud_settings.model_copy(update={"in_hand": 2})) as served:
        for n in range(4):
            raw_publish(
                home, b"leukoscope/1/" + site + b"/\xff\xfe" + bytes([65 + n]) + b"/frames", b"x"
            )
        good = sent.frame(1)
        sent.wait(1)
        assert sent.receipts[0].capture_id == good.capture_id
        assert served.worker._connection.connected


def test_a_frame_sent_with_qos_0_is_done_and_costs_no_connection(serving, sent, cloud_settings):
    with serving(cloud_settings) as served:
        before = served.worker._connection._generation
        one = frame(1, site=cloud_settings.site)
        sent.payload(encode_frame(one), qos=0)
        sent.wait(1)
        other = sent.frame(2)
        sent.wait(2)
        assert {r.capture_id for r in sent.receipts} == {one.capture_id, other.capture_id}
        time.sleep(0.5)
        assert served.worker._connection._generation == before, "the broker dropped the worker"


def test_frames_in_hand_are_finished_before_the_worker_stops(
    serving, sent, cloud_settings, monkeypatch
):
    monkeypatch.setattr(service, "read_frame", slow(service.read_frame, 0.3))
    with serving(cloud_settings.model_copy(update={"threads": 4})) as served:
        frames = [sent.frame(n) for n in range(8)]
        until(lambda: len(served.worker._hand) == 8, 10, "8 frames in hand")
        served.end()
        assert len(served.worker._hand) == 0
        assert value(served, "leukoscope_frames_total", outcome="stored") == 8
        assert {r.capture_id for r in sent.receipts} == {one.capture_id for one in frames}
    for one in frames:
        key = keys.result(cloud_settings.site, "scope-1", one.capture_id)
        assert in_bucket(cloud_settings.store, key)


def slow(real, seconds):
    def read_frame(*arguments):
        time.sleep(seconds)
        return real(*arguments)

    return read_frame


def test_a_frame_that_comes_while_stopping_is_left_to_the_next_worker(
    serving, sent, cloud_settings, monkeypatch
):
    monkeypatch.setattr(service, "read_frame", slow(service.read_frame, 1.0))
    with serving(cloud_settings) as served:
        first = sent.frame(1)
        until(lambda: len(served.worker._hand) == 1, 10, "a frame in hand")
        served.loop.call_soon_threadsafe(served.stop.set)
        time.sleep(0.3)
        late = sent.frame(2)
        served.end()
    assert [r.capture_id for r in sent.receipts] == [first.capture_id]
    with serving(cloud_settings):
        until(lambda: late.capture_id in {r.capture_id for r in sent.receipts}, 20, "its receipt")
        receipt = next(r for r in sent.receipts if r.capture_id == late.capture_id)
        assert (receipt.outcome, receipt.duplicate) == ("stored", False)


def test_what_cannot_be_finished_in_time_is_left_unacknowledged(
    serving, sent, cloud_settings, monkeypatch
):
    away = cloud_settings.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    settings = cloud_settings.model_copy(update={"store": away, "drain_s": 0.5})
    with serving(settings, connected=False) as served:
        until(lambda: served.worker._connection.connected, 10, "the broker")
        time.sleep(0.5)
        one = sent.frame(1)
        until(lambda: len(served.worker._hand) == 1, 10, "a frame in hand")
        started = time.monotonic()
        served.end()
        assert time.monotonic() - started < 6
    assert sent.receipts == []
    with serving(cloud_settings):
        sent.wait(1)
        assert sent.receipts[0].capture_id == one.capture_id


def test_a_worker_started_without_its_store_says_so_before_any_frame_comes(serving, cloud_settings):
    away = cloud_settings.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    settings = cloud_settings.model_copy(update={"store": away})
    with serving(settings, connected=False) as served:
        until(
            lambda: "127.0.0.1:9" in served.worker._health.report()[1]["troubles"].get("store", ""),
            10,
            "health names the store",
        )
        assert value(served, "leukoscope_store_failures_total") >= 1


def test_a_worker_started_without_its_broker_says_so_and_stops_when_told(serving, cloud_settings):
    broker = cloud_settings.broker.model_copy(update={"port": 9})
    settings = cloud_settings.model_copy(update={"broker": broker})
    with serving(settings, connected=False) as served:
        until(
            lambda: (
                "127.0.0.1:9" in served.worker._health.report()[1]["troubles"].get("broker", "")
            ),
            10,
            "health names the broker",
        )
        started = time.monotonic()
        served.end()
        assert time.monotonic() - started < 5


def test_the_hand_never_holds_more_than_its_cap_and_everything_is_done(
    serving, sent, cloud_settings, monkeypatch
):
    monkeypatch.setattr(service, "read_frame", slow(service.read_frame, 0.01))
    most = 0
    with serving(cloud_settings.model_copy(update={"in_hand": 3})) as served:
        frames = [sent.frame(n) for n in range(60)]
        while len(sent.receipts) < 60:
            most = max(most, len(served.worker._hand))
            time.sleep(0.002)
        assert {r.capture_id for r in sent.receipts} == {one.capture_id for one in frames}
    assert 1 <= most <= 3


@pytest.fixture
def registry(cloud_settings, tmp_path):
    """Settings of a worker that follows a model, and two published versions of it."""
    with Bucket(cloud_settings.store) as bucket:
        for version in ("1.0", "1.1"):
            publish(renamed_bundle(tmp_path / version, "acgan", version), bucket)
        promote(bucket, "acgan", "1.0")
        changes = {"model": "acgan", "model_poll_s": 0.05, "model_cache": tmp_path / "cache"}
        yield cloud_settings.model_copy(update=changes), bucket


def test_a_frame_begun_before_an_exchange_is_finished_with_its_own_classifier(
    serving, sent, registry, monkeypatch
):
    settings, bucket = registry
    monkeypatch.setattr(service, "read_frame", slow(service.read_frame, 1.5))
    with serving(settings) as served:
        begun = sent.frame(1)
        until(lambda: len(served.worker._hand) == 1, 10, "a frame in hand")
        promote(bucket, "acgan", "1.1")
        until(lambda: served.worker._models.live.model.version == "1.1", 10, "1.1 is live")
        assert sent.receipts == []
        after = sent.frame(2)
        until(lambda: len(sent.results) == 2, 15, "both results")
        versions = {r.capture_id: r.model.version for r in sent.results}
        assert versions == {begun.capture_id: "1.0", after.capture_id: "1.1"}
        assert value(served, "leukoscope_model_swaps_total") == 2
        (line,) = metric_lines(served, "leukoscope_model_info{")
        assert served.worker._models.live.model.sha256 in line
        report = served.worker._health.report()[1]
        assert report["model"].startswith("acgan 1.1 ")
        assert (report["swaps"], report["warnings"]) == (2, {})


def metric_lines(served, beginning):
    text = generate_latest(served.worker._metrics.registry).decode()
    return [line for line in text.splitlines() if line.startswith(beginning)]


def announced(station, site):
    return [
        decode(m.payload, ModelAnnouncement)
        for m in station.heard
        if m.topic == topics.models(site)
    ]


def test_the_live_model_is_announced_and_retained_for_who_comes_later(
    serving, station, registry, cloud_settings
):
    settings, _ = registry
    with serving(settings):
        time.sleep(0.5)
    station.subscribe(topics.models(cloud_settings.site), 1)
    until(lambda: announced(station, cloud_settings.site), 10, "the announcement")
    (word,) = announced(station, cloud_settings.site)
    assert (word.worker, word.outcome, word.version) == (settings.name, "live", "1.0")


def test_a_worker_of_all_sites_announces_to_each_site_whose_frame_it_read(
    serving, station, cloud_settings
):
    site = cloud_settings.site
    settings = cloud_settings.model_copy(update={"site": None})
    station.subscribe(topics.models(site), 1)
    time.sleep(0.3)
    with serving(settings):
        time.sleep(0.5)
        assert announced(station, site) == []
        for n in range(2):
            topic = topics.device(site, "scope-1", "frames")
            station.publish(topic, encode_frame(frame(n, site=site)), 1)
        until(lambda: announced(station, site), 10, "the announcement")
        time.sleep(0.3)
        assert [word.outcome for word in announced(station, site)] == ["live"]


def test_a_refused_bundle_is_seen_in_health_and_metrics_and_the_work_goes_on(
    serving, sent, registry
):
    settings, bucket = registry
    key = "models/acgan/1.1/classifier.onnx"
    bucket.replace(key, b"damaged", bucket.read(key).etag)
    with serving(settings) as served:
        promote(bucket, "acgan", "1.1")
        until(lambda: value(served, "leukoscope_model_refusals_total") == 1, 10, "the refusal")
        well, report = served.worker._health.report()
        assert well
        assert (
            "acgan 1.1 is refused: models/acgan/1.1/classifier.onnx" in report["warnings"]["model"]
        )
        sent.frame(1)
        until(lambda: sent.results, 10, "the result")
        assert sent.results[0].model.version == "1.0"


def test_a_worker_that_cannot_learn_what_is_live_takes_no_frame_says_why_and_stops_when_told(
    serving, sent, registry
):
    settings, _ = registry
    away = settings.store.model_copy(update={"endpoint": "http://127.0.0.1:9"})
    with serving(settings.model_copy(update={"store": away}), connected=False) as served:
        until(
            lambda: (
                "127.0.0.1:9" in served.worker._health.report()[1]["warnings"].get("registry", "")
            ),
            10,
            "health says that the registry does not answer",
        )
        one = sent.frame(1)
        time.sleep(0.5)
        assert len(served.worker._hand) == 0
        started = time.monotonic()
        served.end()
        assert time.monotonic() - started < 5
    assert sent.receipts == []
    with serving(settings):
        sent.payload(encode_frame(one))  # as a station does that got no receipt
        sent.wait(1)
        until(lambda: sent.results, 5, "the result")
        assert sent.results[0].model.version == "1.0"


def test_no_log_line_or_metric_names_a_slide(serving, sent, cloud_settings, capsys):
    with serving(cloud_settings) as served:
        one = sent.frame(1, slide="sCANARY")
        sent.wait(1)
        metrics = generate_latest(served.worker._metrics.registry).decode()
    said = "".join(capsys.readouterr())
    assert one.capture_id in said
    assert "sCANARY" not in said
    assert not {"sCANARY", one.capture_id, "scope-1"} & set(re.split(r"[\s\"]", metrics))
