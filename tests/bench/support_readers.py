"""Readers at a served room, many at once: each at a page of its own, as a person goes about it."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field

import httpx

THINKS_S = (0.5, 2.0)
"""How long a reader looks before the next step, between these."""

NAMES_SOME = 0.3
"""Of the slides that a reader opens: on these a cell is named, and named back."""

BEAT_S = 30.0
"""A stream that is silent for longer is an error: it says every few seconds that it lives."""


@dataclass
class Tally:
    """What all readers saw."""

    took_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From asking to the last byte, by what was asked."""
    refused: Counter = field(default_factory=Counter)
    """Acts that were refused in words, by status: another reader was first."""
    errors: Counter = field(default_factory=Counter)
    events: Counter = field(default_factory=Counter)
    """Of the live streams, by kind."""


async def read_for(address, people, seconds):
    """So many readers as there are people, for so long."""
    tally, end = Tally(), time.monotonic() + seconds
    readers = [Reader(address, who, tally, n) for n, who in enumerate(people)]
    await asyncio.gather(*(reader.read(end) for reader in readers))
    return tally


class Reader:
    """One reader, with one browser."""

    def __init__(self, address, who, tally, number):
        self._tally = tally
        self._draw = random.Random(number)
        self._client = httpx.AsyncClient(
            base_url=address,
            cookies=who["cookie"],
            headers={"Origin": address, "X-CSRF-Token": who["csrf"]},
            timeout=30,
        )

    async def read(self, end):
        """Worklist, a slide, some of its cells; and again."""
        async with self._client:
            while time.monotonic() < end:
                slides = await self._worklist(end)
                for slide in self._draw.sample(slides, min(3, len(slides))):
                    if time.monotonic() < end:
                        await self._slide(slide)

    async def _worklist(self, end):
        """The page, live while it is looked at."""
        await self._ask("worklist", "GET", "/")
        async with self._live("/live/worklist"):
            told = await self._ask("worklist, JSON", "GET", "/api/worklist")
            await self._think(min(2.0, end - time.monotonic()))
        return [(one["site"], one["slide"]) for one in told.json()["slides"]] if told else []

    async def _slide(self, slide):
        path = "/".join(slide)
        await self._ask("slide", "GET", f"/slides/{path}")
        async with self._live(f"/live/slides/{path}"):
            await self._think()
            if self._draw.random() < NAMES_SOME:
                await self._name_one(path)

    async def _name_one(self, path):
        told = await self._ask("slide, JSON", "GET", f"/api/slides/{path}")
        if not told:
            return
        seen = told.json()
        cell = self._draw.choice(seen["cells"])
        form = {"number": seen["number"], "shown": seen["shown"], "cells": cell["name"]}
        form["label"] = self._draw.choice(("Normal", "ALL", "AML"))
        await self._ask("reclassify", "POST", f"/slides/{path}/reclassify", data=form)
        await self._think()

    async def _think(self, at_most=2.0):
        await asyncio.sleep(max(0.0, min(at_most, self._draw.uniform(*THINKS_S))))

    async def _ask(self, what, method, path, **more):
        """The answer; None where there was none worth having, which is counted."""
        begun = time.perf_counter()
        try:
            answer = await self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            self._tally.errors[f"{what}: {type(error).__name__}"] += 1
            return None
        self._tally.took_ms[what].append((time.perf_counter() - begun) * 1000)
        if answer.status_code == 409 and method == "POST":
            self._tally.refused[what] += 1
            return None
        if answer.status_code != 200:
            self._tally.errors[f"{what}: {answer.status_code}"] += 1
            return None
        return answer

    def _live(self, path):
        return _Following(self._client, path, self._tally)


class _Following:
    """A live stream, open for as long as its page is."""

    def __init__(self, client, path, tally):
        self._client, self._path, self._tally = client, path, tally
        self._heard = asyncio.Event()

    async def __aenter__(self):
        """Returns when the stream has said something, or ended."""
        self._listening = asyncio.ensure_future(self._listen())
        heard = asyncio.ensure_future(self._heard.wait())
        await asyncio.wait({heard, self._listening}, return_when=asyncio.FIRST_COMPLETED)
        heard.cancel()

    async def __aexit__(self, *_):
        if self._listening.done():
            self._tally.errors["stream: ended"] += 1
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)

    async def _listen(self):
        timeout = httpx.Timeout(30, read=BEAT_S)
        try:
            async with self._client.stream("GET", self._path, timeout=timeout) as stream:
                if stream.status_code != 200:
                    self._tally.errors[f"stream: {stream.status_code}"] += 1
                async for line in stream.aiter_lines():
                    kind = line.removeprefix("event: ")
                    if kind != line:
                        self._tally.events[kind] += 1
                        self._heard.set()
                    if kind == "stale":
                        self._tally.errors["stream: stale"] += 1
        except httpx.HTTPError as error:
            self._tally.errors[f"stream: {type(error).__name__}"] += 1
