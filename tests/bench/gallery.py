"""How soon the pictures of a gallery come.

    python tests/bench/gallery.py [--cells N] [--at-once N] [--rounds N]

Simulated fields of a slide with N cells, read by the shipped model, in a bucket in memory. Asked
for as a browser does, a few at once, through the whole application in this process: first with
nothing kept, then with what is on disk, then with what is in memory; and the same of the maps.
CPU time is of this process with all its threads; wall time is longer where others work, too.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import httpx
import typer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from pictured_slide import read_field
from reading_room import open_app, put_reading

from cloud.page.room import Room
from cloud.pictures.address import cell_address, map_address
from wire.messages import FrameResult


class Took(NamedTuple):
    """Milliseconds."""

    wall: float
    cpu: float


async def _fill(room: Room, cells: int) -> list[FrameResult]:
    results: list[FrameResult] = []
    while sum(len(result.cells) for result in results) < cells:
        results.append(await put_reading(room, read_field(len(results))))
    return results


async def _load(client: httpx.AsyncClient, addresses: Sequence[str], at_once: int) -> Took:
    """Until all of them are there."""
    turns = asyncio.Semaphore(at_once)

    async def one(address: str) -> None:
        async with turns:
            (await client.get(address)).raise_for_status()

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(one(address) for address in addresses))
    return Took(1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked))


def _forget(room: Room, *, disk: bool) -> None:
    kept = room.pictures._kept
    kept._recent.clear()
    if disk and kept._disk is not None:
        for file in kept._disk._folder.iterdir():
            file.unlink()


async def _measure(cells: int, at_once: int, rounds: int) -> dict[str, list[Took]]:
    found: dict[str, list[Took]] = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        settings = {"picture_cache": folder / "kept", "picture_cache_mb": 512}
        async with open_app(folder, labels=[], **settings) as (room, client):
            results = await _fill(room, cells)
            every = [(result, n) for result in results for n in range(len(result.cells))][:cells]
            await client.get(map_address(*every[0]))  # the model is loaded once, in a second
            for kind, address in (("cells", cell_address), ("maps", map_address)):
                addresses = [address(*one) for one in every]
                for _ in range(rounds):
                    _forget(room, disk=True)
                    for state in ("nothing kept", "on disk", "in memory"):
                        if state == "on disk":
                            _forget(room, disk=False)
                        took = await _load(client, addresses, at_once)
                        found.setdefault(f"{len(every)} {kind}, {state}", []).append(took)
    return found


def main(
    cells: Annotated[int, typer.Option(help="cells of the gallery")] = 100,
    at_once: Annotated[int, typer.Option(help="requests under way, as of a browser")] = 6,
    rounds: Annotated[int, typer.Option(help="of each")] = 5,
) -> None:
    """Measure and print."""
    heads = ("", "wall, median ms", "least", "most", "CPU, median ms")
    table = Table(*heads, title=f"{at_once} requests at once")
    for name, took in asyncio.run(_measure(cells, at_once, rounds)).items():
        wall = [one.wall for one in took]
        cpu = statistics.median(one.cpu for one in took)
        figures = (statistics.median(wall), min(wall), max(wall), cpu)
        table.add_row(name, *(f"{figure:.0f}" for figure in figures))
    Console().print(table)


if __name__ == "__main__":
    typer.run(main)
