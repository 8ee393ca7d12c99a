"""How soon the reading room answers.

    python tests/bench/review.py [--slides N] [--url URL]         the worklist's queries, the pages
    python tests/bench/review.py --readers 50 --seconds 60        and so many readers at once

Three parts. *Queries*: N lines of slides in the projection (100,000), their rows read and made into
what a page shows. *Pages*: slides with cells and chains, loaded for real; each page and act through
the whole application, one after the other in this process. Both are server time. *Readers*: at a
server of its own, over HTTP, as long as the reader waits. The bucket is in memory in all of them.
"""

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import httpx
import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from reading_room import client_of
from support_readers import Tally, read_for
from support_room import filled, token

from cloud.index.index import Index
from cloud.index.tables import slides
from cloud.index.urgency import urgency
from cloud.index.worklist import EVERY, Place, Wanted, page, totals
from cloud.slides.tally import blasts_per_100

_ROOM = Path(__file__).resolve().with_name("support_room.py")

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STATES = ("open", "in review", "signed", "amended")
WEIGHTS = (50, 2, 45, 3)
"""An archive: half of the slides still undone is more than any laboratory has."""


def rows(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Lines of slides, as the projection holds them."""
    draw = random.Random(seed)
    for _ in range(count):
        cells, share = draw.randrange(20, 300), draw.choice((0, 0, 0, 0.02, 0.1, 0.4, 0.9))
        unsure = int(cells * draw.uniform(0, 0.2))
        blasts = round((cells - unsure) * share)
        counts = {"ALL": blasts, "AML": 0, "Normal": cells - unsure - blasts}
        per_100, interval = blasts_per_100(counts)
        state = draw.choices(STATES, WEIGHTS)[0]
        since = BEGIN + timedelta(seconds=draw.randrange(300 * 86_400))
        low, high = interval or (None, None)
        yield {
            "site": f"lab-{draw.randrange(8)}",
            "slide": f"s{draw.randbytes(10).hex()}",
            "state": state,
            "done": state in ("signed", "amended"),
            "later_fields": 0,
            "rank": urgency(blasts, per_100, interval, unsure),
            "waiting_since": since,
            "fields": cells // 8 + 1,
            "cells": cells,
            "all_": blasts,
            "aml": 0,
            "normal": counts["Normal"],
            "unidentified": unsure,
            "blasts_per_100": per_100,
            "blasts_low": low,
            "blasts_high": high,
            "updated_at": since + timedelta(minutes=20),
        }


def fill(index: Index, count: int) -> None:
    """Put the lines in; what lies beneath them is not asked for by the worklist."""
    with index.engine.begin() as connection:
        lines = rows(count)
        while some := list(islice(lines, 5000)):
            connection.execute(sa.insert(slides), some)
        connection.exec_driver_sql("ANALYZE")


def questions(index: Index, draw: random.Random) -> dict[str, Callable[[], object]]:
    """What readers ask, each time a little otherwise."""

    def deep() -> Wanted:
        return Wanted(
            after=Place(draw.randrange(4), BEGIN + timedelta(draw.randrange(300)), "", "")
        )

    return {
        "first page": lambda: page(index, Wanted()),
        "page somewhere": lambda: page(index, deep()),
        "in review": lambda: page(index, Wanted(states={"in review"})),
        "signed": lambda: page(index, Wanted(states={"signed", "amended"})),
        "every state": lambda: page(index, Wanted(states=EVERY)),
        "two states": lambda: page(index, Wanted(states={"in review", "amended"})),
        "one site": lambda: page(index, Wanted(site=f"lab-{draw.randrange(8)}")),
        "no such site": lambda: page(index, Wanted(site="lab-none")),
        "one urgency": lambda: page(index, Wanted(rank=draw.randrange(4))),
        "token, 2 signs": lambda: page(index, Wanted(states=EVERY, token=f"s{draw.randrange(10)}")),
        "token, 6 signs": lambda: page(
            index, Wanted(states=EVERY, token=f"s{draw.randbytes(3).hex()[:5]}")
        ),
        "totals": lambda: totals(index),
    }


def timed(ask: Callable[[], object], times: int) -> dict[str, float]:
    """Milliseconds: p50, p99 and the worst."""
    ask()  # compiled and cached once
    took = []
    for _ in range(times):
        watch = Watch()
        ask()
        took.append(watch.took)
    return cut(*zip(*took, strict=True))


class Watch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    @property
    def took(self) -> tuple[float, float]:
        """Milliseconds: as a clock on the wall has it, and of this process's CPU."""
        wall, cpu = self._begun
        return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def cut(took_ms: Sequence[float], cpu_ms: Sequence[float] = ()) -> dict[str, float]:
    """Of so many milliseconds; `cpu`, the median, minds no other work on the machine."""
    at = statistics.quantiles(took_ms, n=100, method="inclusive")
    found = {"times": len(took_ms), "p50": at[49], "p99": at[98], "max": max(took_ms)}
    found |= {"cpu": statistics.median(cpu_ms)} if cpu_ms else {}
    return {name: ms if name == "times" else round(ms, 2) for name, ms in found.items()}


async def pages(count: int, cells: int, times: int) -> dict[str, dict[str, float]]:
    """Each page of a room with so many slides, through the whole application."""
    draw = random.Random(3)
    with tempfile.TemporaryDirectory(prefix="leukoscope-room-") as folder:
        async with filled(Path(folder), count, cells) as room, client_of(room, "ada") as client:

            def some() -> str:
                return f"home/{token(draw.randrange(count))}"

            asked: dict[str, Callable[[], str]] = {
                "worklist": lambda: "/",
                "worklist, filtered": lambda: f"/?q=s{draw.randrange(10)}&state=all",
                "worklist, JSON": lambda: "/api/worklist",
                "slide": lambda: f"/slides/{some()}",
                "slide, JSON": lambda: f"/api/slides/{some()}",
            }
            found = {}
            for name, path in asked.items():
                took = [await _asked(client, path()) for _ in range(times + 1)]
                found[name] = cut(*zip(*took[1:], strict=True))  # the first one compiles
            took = [await _named(client, draw, count) for _ in range(times)]
            found["reclassify"] = cut(*zip(*took, strict=True))
            return found


async def _asked(client: httpx.AsyncClient, path: str, **form: object) -> tuple[float, float]:
    watch = Watch()
    answer = await (client.post(path, data=form) if form else client.get(path))
    took = watch.took
    if answer.status_code != 200:
        raise SystemExit(f"{path} answered {answer.status_code}: {answer.text[:300]}")
    return took


async def _named(client: httpx.AsyncClient, draw: random.Random, count: int) -> tuple[float, float]:
    """Name a cell of a slide that is not signed."""
    path = f"home/{token(3 * draw.randrange(count // 3) + 1)}"
    seen = (await client.get(f"/api/slides/{path}")).json()
    return await _asked(
        client,
        f"/slides/{path}/reclassify",
        number=seen["number"],
        shown=seen["shown"],
        cells=draw.choice(seen["cells"])["name"],
        label="Normal",
    )


def many_readers(
    readers: int, seconds: float, count: int, cells: int
) -> tuple[Tally, dict[str, float]]:
    """So many readers at a server that is a process of its own, and the CPU of both."""
    with tempfile.TemporaryDirectory(prefix="leukoscope-room-") as folder:
        sizes = ("--slides", count, "--cells", cells, "--people", readers)
        command = [sys.executable, str(_ROOM), folder, *map(str, sizes)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                served = json.loads(_said(server.stdout))
                before = _cpu_s(server.pid), time.process_time()
                tally = asyncio.run(read_for(served["address"], served["people"], seconds))
                after = _cpu_s(server.pid), time.process_time()
                spent = (round(b - a, 1) for a, b in zip(before, after, strict=True))
                return tally, dict(zip(("server", "readers"), spent, strict=True))
            finally:
                server.stdin.close()
                server.wait(30)


def _cpu_s(process: int) -> float:
    """CPU that a process has used, in seconds."""
    spent = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(spent[11]) + int(spent[12])) / os.sysconf("SC_CLK_TCK")


def _said(lines: Iterable[str]) -> str:
    """The line of JSON among what the server logs."""
    return next(line for line in lines if line.startswith("{"))


def main(
    *,
    slides_: Annotated[
        int, typer.Option("--slides", help="lines of the worklist; 0: skip")
    ] = 100_000,
    times: Annotated[int, typer.Option(help="each question is asked", min=2)] = 200,
    url: Annotated[str, typer.Option(help="an EMPTY database; default: SQLite in a file")] = "",
    loaded: Annotated[
        int, typer.Option(help="slides with cells and chains; 0: skip, else 3 or more")
    ] = 1000,
    cells: Annotated[int, typer.Option(help="of each of them", min=1)] = 100,
    readers: Annotated[int, typer.Option(help="at once, at a server; 0: skip")] = 0,
    seconds: Annotated[float, typer.Option(help="that they read", min=1)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    limit_ms: Annotated[float, typer.Option(help="fail where a query's p99 is over it")] = 0,
) -> None:
    """Fill a reading room and ask it what readers ask."""
    found: dict[str, Any] = {}
    if slides_:
        found["queries"] = queries(slides_, times, url)
    if loaded:
        found["pages"] = asyncio.run(pages(loaded, cells, times))
    if readers:
        tally, cpu_s = many_readers(readers, seconds, loaded or 100, cells)
        found["readers"] = told(tally, seconds) | {"cpu_s": cpu_s}
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        for part, rows in found.items():
            show(part, rows)
    worst = max((row["p99"] for row in found.get("queries", {}).values()), default=0)
    if limit_ms and worst > limit_ms:
        raise SystemExit(f"p99 of {worst} ms is over {limit_ms} ms")
    if errors := found.get("readers", {}).get("errors"):
        raise SystemExit(f"errors: {errors}")


def queries(count: int, times: int, url: str) -> dict[str, dict[str, float]]:
    """What readers ask of a projection with so many slides."""
    with tempfile.TemporaryDirectory(prefix="leukoscope-review-") as folder:
        index = Index(url or f"sqlite:///{Path(folder) / 'index.sqlite'}")
        if list(islice(index.digests(), 1)):
            raise typer.BadParameter("the database holds slides: name an empty one")
        fill(index, count)
        asked = questions(index, random.Random(2))
        found = {name: timed(ask, times) for name, ask in asked.items()}
        index.close()
        return found


def told(tally: Tally, seconds: float) -> dict[str, Any]:
    """What many readers saw."""
    return {
        "asked": {name: cut(took) for name, took in tally.took_ms.items() if len(took) > 1},
        "requests": sum(map(len, tally.took_ms.values())),
        "requests_per_s": round(sum(map(len, tally.took_ms.values())) / seconds, 1),
        "errors": dict(tally.errors),
        "refused": dict(tally.refused),
        "events": dict(tally.events),
    }


def show(part: str, rows: dict[str, Any]) -> None:
    """A table for people."""
    table = Table(title=f"{part}, ms")
    columns = ("times", "p50", "p99", "max", "cpu")
    for column in ("question", *columns):
        table.add_column(column, justify="left" if column == "question" else "right")
    for name, row in rows.get("asked", rows).items():
        table.add_row(name, *(_cell(row.get(column)) for column in columns))
    console = Console()
    console.print(table)
    for name in ("requests", "requests_per_s", "errors", "refused", "events", "cpu_s"):
        if name in rows:
            console.print(f"{name}: {rows[name]}")


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:d}" if isinstance(value, int) else f"{value:.1f}"


if __name__ == "__main__":
    typer.run(main)
