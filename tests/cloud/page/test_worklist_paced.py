import asyncio

import pytest
from reading_desk import run

from cloud.live.news import Change, News
from cloud.page.paced import paced


def change(slide: str) -> Change:
    return Change("home", slide, "fields")


def test_the_first_change_comes_at_once_and_a_hundred_behind_it_come_together():
    async def told():
        news = News()
        batches = paced(news.follow(), 1.0)
        begun = asyncio.get_running_loop().time()
        news.tell(change("s0"))
        first = await anext(batches)
        at_once = asyncio.get_running_loop().time() - begun
        for number in range(1, 101):
            news.tell(change(f"s{number}"))
        second = await anext(batches)
        later = asyncio.get_running_loop().time() - begun
        await batches.aclose()
        return first, at_once, second, later

    first, at_once, second, later = run(told())
    assert [one.slide for one in first] == ["s0"]
    assert at_once < 0.8
    assert len(second) == 100
    assert later >= 1.0


def test_a_silence_has_its_beat_and_the_end_of_the_news_is_the_end():
    async def told():
        news = News(beat_s=0.01)
        batches = paced(news.follow(), 0.001, at_once=True)
        began, beat = await anext(batches), await anext(batches)
        news.tell(change("s1"))
        await asyncio.sleep(0.03)
        news.close()
        rest = [one async for one in batches]
        return began, beat, rest, len(news)

    began, beat, rest, following = run(told())
    assert began == beat == []
    assert [one.slide for batch in rest for one in batch] == ["s1"]
    assert following == 0


def test_whoever_goes_away_is_followed_by_nobody():
    async def told():
        news = News()
        batches = paced(news.follow(), 0.01, at_once=True)
        await anext(batches)
        await batches.aclose()
        await asyncio.sleep(0)
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert len(run(told())) <= 1  # the test's own runner


def test_a_fault_of_the_news_is_not_hidden():
    async def broken():
        yield change("s1")
        raise RuntimeError("lost")

    async def told():
        return [batch async for batch in paced(broken(), 0.001)]

    with pytest.raises(RuntimeError, match="lost"):
        run(told())
