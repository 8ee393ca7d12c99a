"""What several ask for at once is made once."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Made = TypeVar("Made")


class Once(Generic[Made]):
    """Work under way, by name. On one event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Task[Made]] = {}

    async def do(self, name: str, work: Callable[[], Coroutine[Any, Any, Made]]) -> Made:
        """Begin this work, or wait for it where somebody has begun it.

        Who stops waiting does not stop the work: others may wait, too, and it is kept.
        """
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.ensure_future(work())
            self._under_way[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up what is under way."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _ended(self, name: str, task: asyncio.Task[Made]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # asked for here, or asyncio complains where nobody waited on
