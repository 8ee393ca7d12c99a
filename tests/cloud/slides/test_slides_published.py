"""A worker at a real broker and a real store publishes what the bucket says of a slide."""

import asyncio
import time

import paho.mqtt.client as paho
import pytest
from frames import frame
from rig import until

from cloud.stores import keys
from cloud.stores.objects import Objects, open_store
from wire import topics
from wire.codec import decode, encode_frame
from wire.messages import FrameResult, SlideResult

pytestmark = pytest.mark.system


def send(station, settings, one):
    station.publish(topics.device(settings.site, "scope-1", "frames"), encode_frame(one), 1)


def receipts(station):
    return [m for m in station.heard if m.topic.endswith("/receipts")]


def said(station):
    return [decode(m.payload, SlideResult) for m in station.heard if "/slides/" in m.topic]


def of_bucket(store, prefix):
    async def read():
        objects = Objects(open_store(store), 0.2, lambda _: None)
        return {key: await objects.get(key) for key in await objects.sizes(prefix)}

    return asyncio.run(read())


def test_two_workers_and_repeats_end_with_a_retained_recount(serving, station, cloud_settings):
    """Each has every frame: without a share group the broker gives both of them all."""
    other = cloud_settings.model_copy(update={"name": cloud_settings.name + "-b"})
    station.subscribe(topics.device(cloud_settings.site, "scope-1", "receipts"), 1)
    station.subscribe(f"leukoscope/1/{cloud_settings.site}/slides/+", 1)
    time.sleep(0.3)
    frames = [
        frame(n, site=cloud_settings.site, slide="s1" if n % 3 else "s2", device="scope-1")
        for n in range(12)
    ]
    with serving(cloud_settings), serving(other):
        for one in [*frames, *frames[:5]]:
            send(station, cloud_settings, one)
        until(lambda: len(receipts(station)) == 34, 30, "receipts of both workers")
        until(lambda: not of_bucket(cloud_settings.store, keys.SLIDES_DUE), 20, "all is added up")
    results = [
        decode(data, FrameResult) for data in of_bucket(cloud_settings.store, keys.RESULTS).values()
    ]
    for slide, fields in (("s1", 8), ("s2", 4)):
        mine = [result for result in results if result.slide == slide]
        last = [result for result in said(station) if result.slide == slide][-1]
        assert (last.fields, len(mine)) == (fields, fields)
        for label, count in last.counts.items():
            assert count == sum(result.counts[label] for result in mine)
        assert last.updated_at == max(result.classified_at for result in mine)
        assert last == retained(station, topics.slides(cloud_settings.site, slide))


def retained(station, topic):
    """What a reader gets who subscribes now."""
    late = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"late-{time.monotonic_ns()}")
    late.username_pw_set(station._username.decode(), station._password.decode())
    heard = []
    late.on_message = lambda _c, _d, message: heard.append(message)
    late.connect(station.host, station.port)
    late.loop_start()
    until(late.is_connected, 10, "the late reader is connected")
    late.subscribe(topic, 1)
    until(lambda: heard, 10, "the retained word")
    late.disconnect()
    late.loop_stop()
    assert heard[0].retain
    return decode(heard[0].payload, SlideResult)


def test_what_a_killed_worker_left_is_added_up_at_the_next_start(
    serving, station, cloud_settings, monkeypatch
):
    station.subscribe(f"leukoscope/1/{cloud_settings.site}/slides/+", 1)
    station.subscribe(topics.device(cloud_settings.site, "scope-1", "receipts"), 1)
    time.sleep(0.3)
    with monkeypatch.context() as patch:
        patch.setattr("cloud.slides.sums.SlideSums._settle_all", never)
        with serving(cloud_settings):
            send(station, cloud_settings, frame(1, site=cloud_settings.site))
            until(lambda: receipts(station), 20, "the receipt")
    assert said(station) == []
    assert len(of_bucket(cloud_settings.store, keys.SLIDES_DUE)) == 1
    with serving(cloud_settings):
        until(lambda: said(station), 20, "the slide")
        until(lambda: not of_bucket(cloud_settings.store, keys.SLIDES_DUE), 20, "no note is left")
    assert [(one.fields, one.cells) for one in said(station)] == [(1, 1)]


async def never(_self):
    return None
