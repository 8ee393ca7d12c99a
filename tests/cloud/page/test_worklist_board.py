import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from reading_desk import run
from reading_room import open_app, put_field

from cloud.page.asked import Asked
from cloud.page.board import Board
from cloud.page.tally import Tally


def counting(monkeypatch, module, name):
    """How often a function of the module is called."""
    called, real = [], getattr(module, name)
    monkeypatch.setattr(module, name, lambda *given: called.append(1) or real(*given))
    return called


def test_fifty_who_hear_of_a_change_cost_one_rendering(tmp_path, monkeypatch):
    from cloud.page import board as module

    called = counting(monkeypatch, module, "listed")

    async def told():
        async with open_app(tmp_path) as (room, _):
            board, heard = Board(room.index, room.presence, room.parts), time.monotonic()
            wanted = [Asked(), *[Asked(state="all")] * 49]
            return await asyncio.gather(*(board.parts(one, heard) for one in wanted))

    made = run(told())
    assert len(called) == 2  # of two filters
    assert all("/slides/home/s1" in html["lines"] for html in made)


def test_what_was_made_before_a_change_is_not_shown_after_it(tmp_path):
    async def told():
        async with open_app(tmp_path) as (room, _):
            board = Board(room.index, room.presence, room.parts)
            before = await board.parts(Asked(), time.monotonic())
            await put_field(room, 40, ["ALL"], slide="s2")
            return before, await board.parts(Asked(), time.monotonic())

    before, after = run(told())
    assert "/slides/home/s2" not in before["lines"]
    assert "/slides/home/s2" in after["lines"]
    assert "<b>2</b>" in after["ranks"]


def test_filters_without_end_are_not_kept_without_end(tmp_path):
    async def told():
        async with open_app(tmp_path) as (room, _):
            board = Board(room.index, room.presence, room.parts)
            for number in range(70):
                await board.parts(Asked(q=f"s{number}"), time.monotonic())
            return len(board._made)

    assert run(told()) == 64


def test_who_asks_at_the_same_moment_is_answered_with_one_count(tmp_path, monkeypatch):
    from cloud.page import tally as module

    called = counting(monkeypatch, module, "totals")

    async def told():
        async with open_app(tmp_path) as (room, _):
            tally, now = Tally(room.index), time.monotonic()
            with ThreadPoolExecutor(8) as pool:
                found = list(pool.map(lambda _: tally.totals(now), range(40)))
            return found, tally.totals(time.monotonic())

    found, later = run(told())
    assert len(called) == 2
    assert {one.states["open"] for one in [*found, later]} == {1}
