"""A slide is read while others work on it: nothing of that looks like tampering."""

import pytest
from reading_desk import TRUSTED, room, run

from cloud.reviews import command, desk
from cloud.reviews.entry import See


@pytest.fixture
def meanwhile(monkeypatch):
    """`meanwhile(module, work)` has that done between the two looks that `module` takes."""

    def between(module, work):
        left = [work]
        for name in ("read_chain", "read_results"):
            real = getattr(module, name)

            async def look(*arguments, real=real):
                found = await real(*arguments)
                if left:
                    await left.pop()()
                return found

            monkeypatch.setattr(module, name, look)

    return between


async def field_and_look(here, elsewhere):
    await here.field(9, ["ALL"])
    cells = ["scope-1/" + name for name in await captures(here)]
    await elsewhere.act("home", "s1", "ben", See(cells[-1:]), last_seen=0)


async def captures(here):
    keys = sorted(await here.objects.sizes("slides/home/s1/fields/scope-1/"))
    return [f"{key.rpartition('/')[2]}/0" for key in keys]


def test_a_desk_loads_a_slide_to_which_a_field_and_an_act_on_it_come_this_moment(meanwhile):
    async def check():
        async with room() as here:
            before, elsewhere = await here.case(), here.another_desk()
            meanwhile(desk, lambda: field_and_look(here, elsewhere))
            loaded = await here.case()
            assert len(loaded.slide.results) == len(before.slide.results) + 1
            assert loaded.review.number == 0
            assert (await here.case()).review.number == 1

    run(check())


def test_verify_finds_nothing_wrong_with_it_either(meanwhile):
    async def check():
        async with room() as here:
            meanwhile(command, lambda: field_and_look(here, here.desk))
            for number in (0, 1):
                found = await command.verify(here.objects, TRUSTED, {("home", "s1"): {}}, "s1")
                assert [(one.number, one.findings) for one in found] == [(number, [])]

    run(check())
