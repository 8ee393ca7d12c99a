"""How fast and how dear the worker is: `python tests/bench/worker.py [--frames N] [--json]`.

Beside it, in the same run and with the same frames, broker and store: a plain script, the same
with 16 threads, and the sum of the parts. See docs/benchmarks.md for what each figure means.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rig import MOSQUITTO
from support_bench import HERE, Bench
from support_drive import STATIONS, WINDOW, BenchError, Run, fields
from support_report import Measured, report, show

from wire.codec import encode_frame
from wire.messages import Frame

SUBJECTS = ("worker", "pool", "pool-tuned", "plain")
STORES = ("slow", "plain")
WARM_UP = 64
DISTINCT = 48
"""Fields that are drawn; frames take them in turn, each under a capture id of its own."""


def measure(
    bench: Bench, kind: str, store: str, bases: list[Frame], count: int, bar: Callable[[int], None],
    extra: dict[str, int] | None = None,
) -> Run:  # fmt: skip
    """Warm a subject up, then count."""
    with bench.subject(kind, store, extra or {}) as (child, site):
        driver = bench.driver(site, bases, named=kind != "echo")
        try:
            pids = bench.pids(child)

            def check() -> None:
                bench.children.check()
                if "failed" in (log := child.log.read_text()):
                    raise BenchError(f"{kind} failed:\n{log[-2000:]}")

            driver.run(WARM_UP, pids, check, lambda: bar(0))
            run = driver.run(count, pids, check, lambda: bar(driver.came))
            bar(count)
            if kind != "echo":
                run.answers.update(driver.answers())
        finally:
            driver.close()
    return run


def parts(
    bench: Bench, bases: list[Frame], count: int, bar: Callable[[int], None]
) -> dict[str, float]:
    """CPU-ms a frame of each part alone, at the plain store."""
    site = bench.new_site()
    file = bench.home.folder / "frames.msgpack"
    file.write_bytes(msgspec.msgpack.encode([encode_frame(base) for base in bases]))
    script = [sys.executable, str(HERE / "support_parts.py"), str(file)]
    done = subprocess.run(
        [*script, str(bench.config(site, "plain", {}))], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise BenchError(f"the parts could not be measured:\n{done.stderr[-2000:]}")
    said = json.loads(done.stdout)
    sizes = {name: said[name] for name in ("result_bytes", "receipt_bytes")}
    echo = measure(bench, "echo", "plain", bases, count, bar, sizes)
    return {**said["parts"], "mqtt": echo.cpu_s["subject"] / echo.frames * 1000}


def compare(runs: dict[str, Run]) -> None:
    """Every subject must have done the same work.

    Raises:
        BenchError: two suggest another label or count another number of cells.
    """
    first = runs["worker"].answers
    for name, run in runs.items():
        differing = [i for i, answer in run.answers.items() if first[i] != answer]
        if differing:
            i = differing[0]
            raise BenchError(f"{name} and worker differ on field {i}: {run.answers[i]}, {first[i]}")


def main(
    *,
    frames: Annotated[int, typer.Option(help="frames a run that are counted", min=50)] = 400,
    rounds: Annotated[int, typer.Option(help="runs of each; medians are reported", min=1)] = 1,
    size: Annotated[str, typer.Option(help="of a field, pixels")] = "1280x960",
    delay_ms: Annotated[float, typer.Option(help="a request to the slow store takes this")] = 20.0,
    embedded: Annotated[bool, typer.Option("--embedded", help="not Mosquitto")] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="a rival to leave out, such as plain")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout")] = False,
) -> None:
    """Measure the worker beside plain scripts and the sum of the parts."""
    if not embedded and MOSQUITTO is None:
        raise typer.BadParameter("Mosquitto is not installed: apt install mosquitto, or --embedded")
    kinds = [kind for kind in SUBJECTS if kind == "worker" or kind not in (without or ())]
    width, height = (int(side) for side in size.split("x"))
    measured: list[Measured] = []
    summands: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory(prefix="leukoscope-bench-") as folder,
        _progress() as progress,
    ):
        drawing = progress.add_task("drawing fields", total=DISTINCT)
        bases = []
        for base in fields(DISTINCT, width, height):
            bases.append(base)
            progress.advance(drawing)
        bench = Bench(Path(folder) / "home", embedded=embedded, delay_ms=delay_ms)
        try:
            bench.start()
            for number in range(rounds):
                ran: dict[str, Run] = {}
                for store in STORES:
                    for kind in kinds:
                        bar = _bar(progress, f"round {number + 1}: {kind}, {store} store", frames)
                        ran[kind] = measure(bench, kind, store, bases, frames, bar)
                        measured.append(_measured(kind, store, ran[kind]))
                    compare(ran)
                bar = _bar(progress, f"round {number + 1}: the parts", frames)
                summands.append(parts(bench, bases, frames, bar))
        finally:
            slow = bench.close()
    about = {
        "frames": frames,
        "rounds": rounds,
        "broker": "nats-server (embedded)" if embedded else "Mosquitto",
        "window": f"{STATIONS} stations × {WINDOW}",
        "fields": _described(bases),
        "delay_ms": delay_ms,
        "slow_store": slow,
    }
    document = report(measured, summands, about)
    if as_json:
        print(json.dumps(document, indent=2))
    else:
        show(Console(), document, measured)


def _measured(kind: str, store: str, run: Run) -> Measured:
    cores = os.cpu_count() or 1
    rest = sum(run.cpu_s[name] for name in ("broker", "store", "slow", "bench"))
    return Measured(
        kind,
        store,
        frames_per_s=round(run.frames / run.seconds, 2),
        cpu_ms=round(run.cpu_s["subject"] / run.frames * 1000, 3),
        rest_cpu_ms=round(rest / run.frames * 1000, 3),
        repeats=run.repeats,
        others_share=round(run.cpu_s["others"] / run.seconds / cores, 3),
    )


def _described(bases: list[Frame]) -> str:
    kib = sum(len(base.image) for base in bases) / len(bases) / 1024
    cells = sum(len(base.cells or ()) for base in bases) / len(bases)
    return f"{bases[0].width}×{bases[0].height}, JPEG of {kib:.0f} KiB, {cells:.1f} white cells"


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=Console(stderr=True))


def _bar(progress: Progress, name: str, total: int) -> Callable[[int], None]:
    task = progress.add_task(name, total=total)
    return lambda done: progress.update(task, completed=done)


if __name__ == "__main__":
    # As Ctrl-C does, so that everything is stopped and the folder removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    typer.run(main)
