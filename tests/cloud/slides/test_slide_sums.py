"""Sums of slides against a plain recount of the bucket, whatever happens on the way."""

import asyncio
import contextlib
import random
from collections import Counter

import msgspec
import obstore
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slide_results import capture_id, field_result, memory, reading

from cloud.slides.recount import Recounter
from cloud.slides.signed import SlideName
from cloud.slides.sums import SlideSums
from cloud.stores import keys
from cloud.stores.objects import Objects
from cloud.worker.outcome import store_reading
from wire import topics
from wire.codec import decode
from wire.messages import SlideResult

LABELS = ("ALL", "AML", "Normal", "unidentified")


def recount(store, site, slide):
    """What a person would count who reads every result of the bucket."""
    fields, cells, newest = 0, Counter(), None
    for batch in obstore.list(store, "results/"):
        for item in batch:
            stored = msgspec.json.decode(bytes(obstore.get(store, item["path"]).bytes()))
            if (stored["site"], stored["slide"]) == (site, slide):
                fields += 1
                cells.update(cell["label"] for cell in stored["cells"])
                newest = max(newest or "", stored["classified_at"])
    return fields, {label: cells[label] for label in LABELS}, newest


class Broker:
    """Retains; takes its time, so that words of several workers overtake one another."""

    def __init__(self, draw):
        self.retained = {}
        self.said = 0
        self._draw = draw

    async def say(self, topic, payload):
        await self._wait()
        self.retained[topic] = payload
        self.said += 1
        await self._wait()

    async def _wait(self):
        for _ in range(self._draw.randrange(12)):
            await asyncio.sleep(0)


class FakeWorker:
    """What the worker does around a frame, but for reading it."""

    def __init__(self, name, objects, broker):
        self.name = name
        self.objects = objects
        self.trouble = []
        self.sums = SlideSums(name, objects, broker.say, self.trouble.append, trusted={}, pause_s=0)
        self.keeping = asyncio.ensure_future(self.sums.keep())

    async def take(self, result):
        async with self.sums.expecting(result.site, result.slide):
            outcome = await store_reading(reading(result), self.objects)
            if not outcome.receipt.duplicate:
                self.sums.know(result)

    async def die(self, frames):
        for task in [self.keeping, *frames]:
            task.cancel()
        await asyncio.gather(self.keeping, *frames, return_exceptions=True)

    async def end(self):
        self.keeping.cancel()
        await asyncio.gather(self.keeping, return_exceptions=True)
        await self.sums.finish(20)


fields = st.lists(
    st.tuples(
        st.sampled_from(["s1", "s2"]),
        st.sampled_from(["scope-1", "scope-2"]),
        st.lists(st.sampled_from(LABELS), max_size=5),
        st.integers(1, 3),  # times it is delivered
    ),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40, deadline=None)
@given(fields, st.integers(1, 3), st.integers(0, 2**32), st.booleans())
def test_slides_equal_a_recount_in_any_order_with_repeats_crashes_and_several_workers(
    made, workers, seed, crashes
):
    draw = random.Random(seed)  # not drawn by hypothesis: tasks would draw out of turn
    results = [
        field_result(n, labels, slide=slide, device=device)
        for n, (slide, device, labels, _) in enumerate(made)
    ]
    deliveries = [
        result for result, (*_, times) in zip(results, made, strict=True) for _ in range(times)
    ]
    draw.shuffle(deliveries)

    async def live():
        store, objects = memory()
        broker = Broker(draw)
        crew = {f"w{n}": FakeWorker(f"w{n}", objects, broker) for n in range(workers)}
        while deliveries:
            batch = [deliveries.pop() for _ in range(min(len(deliveries), draw.randrange(1, 6)))]
            taken = [(result, draw.choice(sorted(crew))) for result in batch]
            tasks = {
                name: [asyncio.ensure_future(crew[name].take(r)) for r, n in taken if n == name]
                for name in crew
            }
            if crashes and draw.random() < 0.5:
                victim = draw.choice(sorted(crew))
                for _ in range(draw.randrange(60)):
                    await asyncio.sleep(0)
                await crew[victim].die(tasks[victim])
                # Unacknowledged frames are delivered again; the acknowledged ones are not.
                undone = [task.cancelled() for task in tasks[victim]]
                mine = [result for result, name in taken if name == victim]
                deliveries.extend(r for r, lost in zip(mine, undone, strict=True) if lost)
                crew[victim] = FakeWorker(victim, objects, broker)
            await asyncio.gather(*(t for each in tasks.values() for t in each if not t.cancelled()))
        if crashes:  # a dying worker's note may come too late for the one that took its place
            for name, worker in crew.items():
                await worker.end()
                await asyncio.sleep(0.02)
                crew[name] = FakeWorker(name, objects, broker)
        while await objects.sizes(keys.SLIDES_DUE):  # the notes go when all is added up
            await asyncio.sleep(0.001)
        for worker in crew.values():
            await worker.end()
            assert set(worker.trouble) <= {None}
        return store, broker

    store, broker = asyncio.run(asyncio.wait_for(live(), 30))
    for slide in {result.slide for result in results}:
        said = decode(broker.retained[topics.slides("home", slide)], SlideResult)
        wanted, counts, newest = recount(store, "home", slide)
        assert (said.fields, said.counts, said.cells) == (wanted, counts, sum(counts.values()))
        assert msgspec.to_builtins(said)["updated_at"] == newest
    assert set(broker.retained) == {topics.slides("home", r.slide) for r in results}


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


def test_a_capture_sent_again_as_another_slide_stays_with_its_first():
    async def check():
        store, objects = memory()
        await store_reading(reading(field_result(1, ["ALL"], slide="s1")), objects)
        await store_reading(reading(field_result(1, ["ALL"], slide="s2")), objects)
        counter = Recounter(objects, {})
        assert (await counter.count(SlideName("home", "s1"))).fields == 1
        assert await counter.count(SlideName("home", "s2")) is None
        assert recount(store, "home", "s2")[0] == 0

    run(check())


def test_an_entry_whose_result_never_came_counts_nothing_until_it_comes():
    async def check():
        _, objects = memory()
        result = field_result(1, ["AML", "Normal"])
        entry = keys.slide_field("home", "s1", "scope-1", result.capture_id)
        await objects.put(entry, b"")
        counter = Recounter(objects, {})
        assert await counter.count(SlideName("home", "s1")) is None
        await store_reading(reading(result), objects)
        counted = await counter.count(SlideName("home", "s1"))
        assert (counted.fields, counted.blasts_per_100) == (1, 50.0)

    run(check())


def test_a_result_of_another_version_is_left_out_and_the_others_are_counted():
    async def check():
        _, objects = memory()
        await store_reading(reading(field_result(1, ["AML"])), objects)
        await objects.put(keys.slide_field("home", "s1", "scope-1", capture_id(2)), b"")
        await objects.put(keys.result("home", "scope-1", capture_id(2)), b'{"schema": 2}')
        counted = await Recounter(objects, {}).count(SlideName("home", "s1"))
        assert (counted.fields, counted.cells) == (1, 1)

    run(check())


def test_a_slide_without_identified_cells_has_no_share_and_no_interval():
    async def check():
        _, objects = memory()
        await store_reading(reading(field_result(1, ["unidentified"] * 3)), objects)
        counted = await Recounter(objects, {}).count(SlideName("home", "s1"))
        assert (counted.cells, counted.blasts_per_100, counted.blasts_interval) == (3, None, None)

    run(check())


def test_own_results_are_not_read_back_and_others_once():
    class Watching(Objects):
        reads = 0

        async def get(self, key):
            self.reads += 1
            return await super().get(key)

    async def check():
        store, objects = memory()
        watching = Watching(store, 0.1, lambda _: None)
        counter = Recounter(watching, {})
        for n in range(20):
            result = field_result(n, ["ALL"])
            await store_reading(reading(result), objects)
            if n < 15:
                counter.know(result)
        for _ in range(3):
            assert (await counter.count(SlideName("home", "s1"))).fields == 20
        assert watching.reads == 5

    run(check())


def test_what_fails_is_told_tried_again_and_holds_up_no_frame():
    class Listless(Objects):
        well = False

        async def sizes(self, prefix):
            if not self.well and prefix.startswith(keys.SLIDES):
                raise LookupError("a fault of ours")
            return await super().sizes(prefix)

    async def check():
        store, _ = memory()
        objects = Listless(store, 0.1, lambda _: None)
        broker, trouble = Broker(random.Random(1)), []
        sums = SlideSums(
            "w", objects, broker.say, trouble.append, trusted={}, pause_s=0, again_s=0.05
        )
        keeping = asyncio.ensure_future(sums.keep())
        for n in range(3):
            async with sums.expecting("home", "s1"):
                outcome = await store_reading(reading(field_result(n, ["ALL"])), objects)
                assert outcome.receipt.outcome == "stored"
        await asyncio.sleep(0.1)
        assert trouble[-1] == "slide s1 was not added up: LookupError"
        assert broker.retained == {}
        objects.well = True
        while not broker.retained:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert trouble[-1] is None
        assert await objects.sizes(keys.SLIDES_DUE) == {}
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping

    run(check())


@pytest.mark.parametrize(("worker", "age_ms", "adopted"), [
    ("mine", 0, True), ("other", 0, False), ("other", 2 * 3600 * 1000, True),
])  # fmt: skip
def test_a_worker_takes_over_its_own_notes_and_those_that_nobody_comes_for(worker, age_ms, adopted):
    async def check():
        from uuid6 import UUID, uuid7

        _, objects = memory()
        await store_reading(reading(field_result(1, ["ALL"])), objects)
        note = UUID(int=uuid7().int - (age_ms << 80))
        await objects.put(keys.slide_due(worker, "home", "s1", str(note)), b"")
        broker = Broker(random.Random(1))
        sums = SlideSums("mine", objects, broker.say, lambda _: None, trusted={}, pause_s=0)
        keeping = asyncio.ensure_future(sums.keep())
        await asyncio.sleep(0.05)
        keeping.cancel()
        assert bool(broker.retained) is adopted
        assert bool(await objects.sizes(keys.SLIDES_DUE)) is not adopted

    run(check())
