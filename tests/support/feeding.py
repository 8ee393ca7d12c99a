"""A feeder in this process, what it told, and bells that ring it."""

import asyncio
import time
from contextlib import asynccontextmanager

from reading_desk import TRUSTED
from slide_results import reading

from cloud.index.reindex import Reindexer
from cloud.live.feeder import Feeder
from cloud.live.news import News
from cloud.settings import CloudSettings
from cloud.worker.outcome import store_reading
from wire import topics
from wire.codec import encode


def result_topic(result):
    return topics.results(result.site, result.device)


async def store_and_ring(objects, client, result):
    """As a worker does: the result first, then the word of it."""
    await store_reading(reading(result), objects)
    client.say(result_topic(result), encode(result))


class Fed:
    """A feeder that goes on; `troubles` is what it said of itself, `told` the news."""

    def __init__(self, broker, objects, index, name="room"):
        settings = CloudSettings(broker=broker.model_dump(), name=name, retry_max_s=0.2)
        self.news, self.troubles, self.told = News(beat_s=60), [], []
        self.feeder = Feeder(settings, objects, index, self.news, TRUSTED, self.troubles.append)

    async def follow(self):
        async for change in self.news.follow():
            self.told.append(change)


@asynccontextmanager
async def feeding(*arguments, **options):
    """A feeder that listens."""
    fed = Fed(*arguments, **options)
    works = [asyncio.ensure_future(work) for work in (fed.feeder.keep(), fed.follow())]
    try:
        await soon(fed.feeder._listening.is_set, "the feeder listens")
        yield fed
    finally:
        for work in works:
            work.cancel()
        await asyncio.gather(*works, return_exceptions=True)


async def soon(asked, what, seconds=20):
    """Wait until it is so, and let everything else go on meanwhile."""
    end = time.monotonic() + seconds
    while not asked():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.02)


async def is_what_the_bucket_says(objects, index, trusted=TRUSTED):
    """Whether a reindex would find nothing to mend."""
    report = await Reindexer(objects, index, lambda _: None, trusted=trusted, mend=False).run()
    return report.same and not report.unsound
