import asyncio
import gc
import threading

import pytest

from cloud.index.index import SlideKey
from cloud.live import news as news_module
from cloud.live.news import Change, News, TooManyFollowersError
from cloud.live.presence import Presence

S1, S2 = SlideKey("home", "s1"), SlideKey("home", "s2")


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 20))


async def heard(follower, least=1):
    """What came until there is silence, which must not come before so many."""
    found = []
    while (change := await anext(follower)) is not None:
        found.append(change)
    assert len(found) >= least
    return found


def test_a_follower_of_a_slide_hears_of_it_alone_and_one_of_all_hears_of_all():
    async def check():
        news = News(beat_s=0.2)
        one, every = news.follow(S1), news.follow()
        for change in (Change(*S2, "fields"), Change(*S1, "signed", "ada", 4)):
            news.tell(change)
        assert await heard(one) == [Change(*S1, "signed", "ada", 4)]
        assert await heard(every) == [Change(*S2, "fields"), Change(*S1, "signed", "ada", 4)]

    run(check())


def test_what_is_told_from_another_thread_wakes_a_follower_that_waits():
    async def check():
        news = News(beat_s=15)
        follower = news.follow(S1)
        waiting = asyncio.ensure_future(anext(follower))
        await asyncio.sleep(0)
        thread = threading.Thread(target=news.tell, args=(Change(*S1, "fields"),))
        thread.start()
        assert await asyncio.wait_for(waiting, 5) == Change(*S1, "fields")
        thread.join()

    run(check())


def test_silence_is_told_as_none_and_again():
    async def check():
        follower = News(beat_s=0.01).follow()
        assert [await anext(follower) for _ in range(3)] == [None, None, None]

    run(check())


def test_a_slow_follower_gets_the_latest_of_each_and_nothing_piles_up():
    async def check():
        news = News(beat_s=0.05)
        slow, own = news.follow(), news.follow(S1)
        for number in range(1000):
            news.tell(Change(*S1, "review", "ada", number))
        assert await heard(slow) == [Change(*S1, "review", "ada", 999)]
        assert await heard(own) == [Change(*S1, "review", "ada", 999)]
        for number in range(1000):
            news.tell(Change("home", f"s{number}", "fields"))
        found = await heard(slow)
        assert len(found) == 256
        assert found[-1].slide == "s999"

    run(check())


def test_two_readers_changes_of_one_slide_are_both_told():
    async def check():
        news = News(beat_s=0.05)
        follower = news.follow(S1)
        news.tell(Change(*S1, "review", "ada", 1))
        news.tell(Change(*S1, "review", "ben", 2))
        assert [change.by for change in await heard(follower)] == ["ada", "ben"]

    run(check())


def test_followers_are_bounded_and_one_that_is_gone_makes_room(monkeypatch):
    monkeypatch.setattr(news_module, "MOST", 2)

    async def check():
        news = News()
        first, second = news.follow(S1), news.follow()
        with pytest.raises(TooManyFollowersError, match="close some"):
            news.follow()
        assert second is not None
        del first
        gc.collect()
        assert len(news) == 1
        news.follow()

    run(check())


def test_closing_ends_every_stream_behind_what_was_told_before():
    async def check():
        news = News(beat_s=15)
        follower = news.follow()
        news.tell(Change(*S1, "fields"))
        await asyncio.sleep(0)
        news.close()
        news.tell(Change(*S1, "signed"))
        assert [change async for change in follower] == [Change(*S1, "fields")]
        assert [change async for change in news.follow()] == []

    run(check())


def test_news_without_a_listener_or_after_the_loop_s_end_is_nobody_s_fault():
    news = News()
    news.tell(Change(*S1, "fields"))

    async def follow():
        return news.follow()

    follower = asyncio.run(follow())
    news.tell(Change(*S1, "fields"))  # its loop is closed
    assert not follower._waiting


def test_two_tabs_of_one_reader_count_once_and_the_last_one_leaves():
    async def check():
        news = News(beat_s=0.05)
        presence, follower = Presence(news), news.follow(S1)
        with presence.enter(S1, "ben"):
            assert presence.others(S1, "ben") == []
            with presence.enter(S1, "ada"), presence.enter(S1, "ada"):
                assert presence.others(S1, "ben") == ["ada"]
                assert presence.others(S2, "ben") == []
                assert [change.by for change in await heard(follower)] == ["ben", "ada"]
                with presence.enter(S1, "ada"):
                    pass
                assert await heard(follower, 0) == []
            assert presence.others(S1, "ben") == []
            assert [change.by for change in await heard(follower)] == ["ada"]
        assert presence._open == {}

    run(check())


def test_a_page_that_breaks_has_left_the_slide():
    presence = Presence(News())
    with pytest.raises(ConnectionResetError), presence.enter(S1, "ada"):
        raise ConnectionResetError
    assert presence.others(S1, "ben") == []
