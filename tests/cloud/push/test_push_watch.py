"""When somebody is told that a slide needs them."""

import asyncio
import threading

import pytest
import sqlalchemy as sa
from push_service import PushService
from reading_desk import room, run
from slide_results import field_result

from cloud.index.index import Index, SlideKey
from cloud.index.tables import entries
from cloud.live.news import Change, News
from cloud.push.watch import Watch, needs
from cloud.reviews.entry import Comment, Reclassify, See, Waive

S1 = SlideKey("home", "s1")
URGENT = ["ALL"] * 5 + ["Normal"] * 5
CALM = ["Normal"] * 40


@pytest.fixture
def index(tmp_path):
    opened = Index(f"sqlite:///{tmp_path / 'index.sqlite'}")
    yield opened
    opened.close()


@pytest.fixture
def devices(push):
    """Of ada and grace; gives whose are going to be told, and forgets it."""
    for name in ("ada", "grace"):
        push.devices.add(name, name, PushService(port=443).browser(name).subscription)

    def told():
        taken = push.devices.take(push._clock(), 60, 100)
        for device in taken:
            push.devices.told(device, 0)
        return sorted(device.account for device in taken)

    return told


def why(index):
    return [(need.key.slide, need.why, need.number) for need in needs(index)]


def looking(index, push):
    return Watch(index, News(), push)


def test_a_slide_is_urgent_while_blasts_are_suspected_and_nobody_has_signed(index):
    index.put([field_result(1, CALM), field_result(2, URGENT, slide="s2")])
    assert why(index) == [("s2", "urgent", 0)]
    assert needs(index, S1) == []
    assert [need.key for need in needs(index, SlideKey("home", "s2"))] == [("home", "s2")]


def test_readers_are_told_once_of_an_urgent_slide_whatever_comes_after(index, push, devices):
    watch = looking(index, push)
    index.put([field_result(1, CALM)])
    watch._look_at(S1)
    assert devices() == []
    index.put([field_result(n, URGENT) for n in range(2, 8)])
    watch._look_at(S1)
    assert devices() == ["ada", "grace"]
    index.put([field_result(9, URGENT)])
    watch._look_at(S1)
    looking(index, push)._look_at_all()  # as after a restart
    assert devices() == []


def test_ten_urgent_slides_are_one_push(index, push, devices):
    index.put([field_result(n, URGENT, slide=f"s{n}") for n in range(10)])
    looking(index, push)._look_at_all()
    assert devices() == ["ada", "grace"]
    assert devices() == []


def test_a_signed_slide_needs_nobody_until_fields_come(index):
    async def check():
        async with room([["ALL"]]) as here:
            await here.do(See(await here.cells("ALL")))
            case = await here.sign()
        index.put(case.slide.results.values())
        assert why(index) == [("s1", "urgent", 0)]
        index.put_entries(S1, case.entries, case.review.head)
        assert why(index) == []
        index.put([field_result(99, URGENT)])
        assert why(index) == [("s1", "urgent", 0)]

    run(check())


def test_a_second_reader_is_told_once_of_each_proposal_and_who_proposed_is_not(
    index, push, devices
):
    watch = looking(index, push)

    def known(case):
        index.put(case.slide.results.values())
        index.put_entries(S1, case.entries, case.review.head)
        watch._look_at(S1)
        return devices()

    async def check():
        async with room([CALM], second_reader=True) as here:
            assert known(await here.do(Comment("look again", []))) == []
            assert known(await here.sign("ada")) == ["grace"]
            assert why(index) == [("s1", "second-reader", 2)]
            assert known(await here.do(See(await here.cells("Normal")), "grace")) == []
            assert why(index) == [("s1", "second-reader", 2)]  # a look changes no proposal
            some = (await here.cells("Normal"))[:1]
            assert known(await here.do(Reclassify(some, "AML"), "grace")) == []
            assert why(index) == []  # this does
            assert known(await here.sign("ada")) == ["grace"]
            assert known(await here.sign("grace")) == []
            assert why(index) == []

    run(check())


def test_an_altered_entry_keeps_nobody_from_being_told_of_another_slide(index):
    async def check():
        async with room([CALM], second_reader=True) as here:
            case = await here.sign("ada")
            index.put([*case.slide.results.values(), field_result(9, URGENT, slide="s2")])
            index.put_entries(S1, case.entries, case.review.head)

    run(check())
    with index.engine.begin() as connection:
        connection.execute(sa.update(entries).values(entry=b"{}"))
    assert why(index) == [("s2", "urgent", 0)]


def test_a_waiver_ends_a_proposal(index):
    async def check():
        async with room([CALM], second_reader=True) as here:
            await here.sign("ada")
            case = await here.do(Waive("none is pale"), "grace")
            index.put(case.slide.results.values())
            index.put_entries(S1, case.entries, case.review.head)

    run(check())
    assert why(index) == []


def test_the_task_hears_of_a_change_and_looks_again_after_a_trouble(index, push, monkeypatch):
    monkeypatch.setattr("cloud.push.watch._AGAIN_S", 0.05)
    said, looks = threading.Event(), []
    monkeypatch.setattr(push, "needs_you", lambda but="": said.set() or 0)

    def looking_at(*keys):
        looks.append(keys)
        if len(looks) == 2:
            raise sa.exc.OperationalError("away", None, OSError("away"))
        return needs(*keys)

    monkeypatch.setattr("cloud.push.watch.needs", looking_at)

    async def check():
        news = News(beat_s=0.1)
        keeping = asyncio.ensure_future(Watch(index, news, push).keep())
        while len(looks) < 1:
            await asyncio.sleep(0.01)
        index.put([field_result(1, URGENT)])
        news.tell(Change(*S1, "presence", "ada"))
        await asyncio.sleep(0.1)
        assert len(looks) == 1  # who reads it changes nothing
        news.tell(Change(*S1, "fields"))
        assert await asyncio.to_thread(said.wait, 10)
        assert len(looks) == 3
        news.close()
        await keeping

    run(check())
