"""Draws reports as pages, beside the event loop and never two at a time."""

import asyncio
from typing import TypeAlias

from cloud.reports.facts import ReportFacts
from cloud.reports.pdf.draw import draw_pdf
from cloud.reports.pdf.pictures import load_pictures
from cloud.stores.objects import Objects

_Drawn: TypeAlias = tuple[str, str, int, int]
"""Site, slide, the entry that it rests on, and how many fields it has."""


class Drawer:
    """One for a program. Whoever asks for a report that is being drawn waits for the same one."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._one = asyncio.Semaphore(1)
        self._drawing: dict[_Drawn, asyncio.Task[bytes]] = {}

    async def draw(self, facts: ReportFacts) -> bytes:
        """The report as a PDF; who gives up waiting leaves it going for the others.

        Raises:
            PdfError: this machine cannot draw one.
        """
        what = (facts.site, facts.slide, facts.number, len(facts.fields))
        if what not in self._drawing:
            task = asyncio.ensure_future(self._draw(facts))
            self._drawing[what] = task
            task.add_done_callback(lambda done: self._done(what, done))
        return await asyncio.shield(self._drawing[what])

    async def close(self) -> None:
        """Give up what is being drawn."""
        tasks = list(self._drawing.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _draw(self, facts: ReportFacts) -> bytes:
        pictures = await load_pictures(self._objects, facts)
        async with self._one:
            return await asyncio.to_thread(draw_pdf, facts, pictures)

    def _done(self, what: _Drawn, task: asyncio.Task[bytes]) -> None:
        self._drawing.pop(what, None)
        if not task.cancelled():
            task.exception()  # whoever waits is told; nobody may be left to
