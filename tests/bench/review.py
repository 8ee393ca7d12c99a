"""How soon the worklist answers: `python tests/bench/review.py [--slides N] [--url URL]`.

Server time: the query, its rows read and made into what a page shows, in one process, one reader.
"""

import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cloud.index.index import Index
from cloud.index.tables import slides
from cloud.index.urgency import urgency
from cloud.index.worklist import EVERY, Place, Wanted, page, totals
from cloud.slides.tally import blasts_per_100

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
        begun = time.perf_counter()
        ask()
        took.append((time.perf_counter() - begun) * 1000)
    cut = statistics.quantiles(took, n=100, method="inclusive")
    return {"p50": round(cut[49], 2), "p99": round(cut[98], 2), "max": round(max(took), 2)}


def main(
    *,
    slides_: Annotated[int, typer.Option("--slides", help="in the projection", min=100)] = 100_000,
    times: Annotated[int, typer.Option(help="each question is asked", min=2)] = 200,
    url: Annotated[str, typer.Option(help="an EMPTY database; default: SQLite in a file")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
    limit_ms: Annotated[float, typer.Option(help="fail where a p99 is over it; 0: never")] = 0,
) -> None:
    """Fill a projection and ask it what readers ask."""
    with tempfile.TemporaryDirectory(prefix="leukoscope-review-") as folder:
        index = Index(url or f"sqlite:///{Path(folder) / 'index.sqlite'}")
        if list(islice(index.digests(), 1)):
            raise typer.BadParameter("the database holds slides: name an empty one")
        begun = time.perf_counter()
        fill(index, slides_)
        filled_s = time.perf_counter() - begun
        asked = questions(index, random.Random(2))
        found = {name: timed(ask, times) for name, ask in asked.items()}
        index.close()
    about = {"slides": slides_, "times": times, "filled_s": round(filled_s, 1)}
    about["database"] = index.engine.dialect.name
    if as_json:
        print(json.dumps({**about, "ms": found}, indent=2))
    else:
        show(about, found)
    worst = max(row["p99"] for row in found.values())
    if limit_ms and worst > limit_ms:
        raise SystemExit(f"p99 of {worst} ms is over {limit_ms} ms")


def show(about: dict[str, Any], found: dict[str, dict[str, float]]) -> None:
    """A table for people."""
    table = Table(title=f"Worklist, server time in ms · {about}")
    for column in ("question", "p50", "p99", "max"):
        table.add_column(column, justify="left" if column == "question" else "right")
    for name, row in found.items():
        table.add_row(name, *(f"{row[column]:.1f}" for column in ("p50", "p99", "max")))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
