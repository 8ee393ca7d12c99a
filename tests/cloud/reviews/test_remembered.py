import asyncio

from slide_results import memory

from cloud.stores.objects import Objects
from cloud.stores.remembered import Remembered


class Counting(Objects):
    reads = 0

    async def get(self, key):
        self.reads += 1
        return await super().get(key)


def test_an_object_is_read_once_a_missing_one_again_and_the_oldest_goes_when_there_is_no_room():
    async def check():
        counting = Counting(memory()[0], 0.1, lambda _: None)
        remembered = Remembered(counting, kept_bytes=10)
        assert await remembered.get("a") is None
        for name in "abc":
            await counting.put(name, name.encode() * 4)
        for _ in range(3):
            assert await remembered.get("a") == b"aaaa"
            assert await remembered.get("b") == b"bbbb"
        assert counting.reads == 3
        assert await remembered.get("c") == b"cccc"
        assert counting.reads == 4
        assert await remembered.get("b") == b"bbbb"
        assert counting.reads == 4
        assert await remembered.get("a") == b"aaaa"
        assert counting.reads == 5
        assert set(await remembered.sizes("")) == {"a", "b", "c"}

    asyncio.run(check())
