"""What the bench came to: numbers for programs, tables for people."""

import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

CPU_TARGET = 1.75
"""The worker's CPU a frame, at most, in units of the sum of the parts."""
SPEED_TARGET = 4.0
"""The worker's frames/s, at least, in units of the 16-thread pool's, at the slow store."""
PACKAGES = (
    "paho-mqtt", "opencv-python-headless", "onnxruntime", "boto3", "obstore", "msgspec", "numpy",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One run of a subject at a store."""

    subject: str
    store: str
    frames_per_s: float
    cpu_ms: float
    """A frame, of the subject's process."""
    rest_cpu_ms: float
    """A frame, of all the rest that a frame needs: broker, store, delay, stations."""
    repeats: int
    """Frames that the broker delivered again, and the subject handled again."""
    others_share: float
    """Of the machine's cores, what programs outside the bench took meanwhile, 0 to 1."""


def machine() -> dict[str, Any]:
    """What it was measured on."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
    }


def ratios(runs: list[Measured], sums: list[float]) -> list[dict[str, Any]]:
    """The targets first, then what puts them in their place. Medians of the rounds."""
    own = {store: _median(runs, "worker", store, "cpu_ms") for store in ("plain", "slow")}
    rows = [
        _row(
            f"worker's CPU ÷ sum of the parts, {store} store", own[store] / median(sums), CPU_TARGET
        )
        for store in ("plain", "slow")
    ]
    rivals = [name for name in _names(runs) if name != "worker"]
    for rival in rivals:
        times = _median(runs, "worker", "slow", "frames_per_s")
        times /= _median(runs, rival, "slow", "frames_per_s")
        target = SPEED_TARGET if rival == "pool" else None
        name = f"worker's frames/s ÷ {rival}'s, slow store"
        rows.append(_row(name, times, target, at_most=False))
    if "pool" in rivals:
        whole = {name: _whole(runs, name) for name in ("pool", "worker")}
        least = median(sums) + _median(runs, "worker", "slow", "rest_cpu_ms")
        rows.append(_row("the same by CPU alone", whole["pool"] / whole["worker"]))
        rows.append(_row("the same, if it cost the sum of the parts", whole["pool"] / least))
    for rival in rivals:
        times = _median(runs, rival, "plain", "cpu_ms") / own["plain"]
        rows.append(_row(f"{rival}'s CPU ÷ worker's, plain store", times))
    return rows


def _whole(runs: list[Measured], subject: str) -> float:
    """CPU-ms of all that a frame needs at the slow store: the subject's and the rest's.

    Where everything shares the same cores, these are full and nobody else wants them, frames/s is
    in inverse proportion to it.
    """
    figures = ("cpu_ms", "rest_cpu_ms")
    return sum(_median(runs, subject, "slow", figure) for figure in figures)


def report(
    runs: list[Measured], parts: list[dict[str, float]], about: dict[str, Any]
) -> Any:  # for JSON
    """Everything, for programs."""
    return {
        **about,
        "machine": machine(),
        "runs": [asdict(run) for run in runs],
        "parts_cpu_ms": {name: median(p[name] for p in parts) for name in parts[0]},
        "sum_of_parts_cpu_ms": median(sum(p.values()) for p in parts),
        "ratios": ratios(runs, [sum(p.values()) for p in parts]),
    }


def show(console: Console, document: dict[str, Any], runs: list[Measured]) -> None:
    """The same for people."""
    console.print(_absolute(document, runs))
    console.print(_parts(document))
    console.print(_ratios(document["ratios"]))
    box = document["machine"]
    console.print(f"{box['cpu']}, {box['cores']} cores · {box['system']} · Python {box['python']}")
    console.print(" · ".join(f"{name} {number}" for name, number in box["versions"].items()))
    slow = document["slow_store"]
    console.print(
        f"slow store: {slow['requests']} requests, answered in {slow['answer_ms_p50']} ms (p50), "
        f"{slow['answer_ms_p95']} ms (p95), of which the store itself {slow['store_ms_p50']} and "
        f"{slow['store_ms_p95']}; the delay cost {slow['cpu_ms']} CPU-ms a request"
    )


def _absolute(document: dict[str, Any], runs: list[Measured]) -> Table:
    table = Table(
        title=f"{document['frames']} frames a run, {document['rounds']} rounds, "
        f"{document['broker']}; a frame: {document['fields']}",
        caption="median (lowest–highest). slow: a request takes "
        f"{document['delay_ms']:g} ms; plain: as long as it takes. "
        "rest: broker, store, delay and stations. others: what programs outside the bench "
        "took of the cores.",
    )
    for column in ("subject", "store", "frames/s", "CPU-ms/frame", "rest's CPU-ms", "others"):
        table.add_column(column, justify="left" if column in ("subject", "store") else "right")
    for subject in _names(runs):
        for store in ("slow", "plain"):
            table.add_row(
                subject,
                store,
                *(
                    _spread(_of(runs, subject, store, figure))
                    for figure in ("frames_per_s", "cpu_ms", "rest_cpu_ms")
                ),
                f"{_median(runs, subject, store, 'others_share'):.0%}",
            )
    table.add_row("sum of parts", "plain", "", f"{document['sum_of_parts_cpu_ms']:.2f}", "", "")
    return table


def _parts(document: dict[str, Any]) -> Table:
    table = Table(title="The parts, CPU-ms a frame")
    for name in document["parts_cpu_ms"]:
        table.add_column(name, justify="right")
    table.add_row(*(f"{value:.3f}" for value in document["parts_cpu_ms"].values()))
    return table


def _ratios(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Ratios")
    table.add_column("ratio")
    for column in ("measured", "target", ""):
        table.add_column(column, justify="right")
    for row in rows:
        met = {True: "[green]met[/green]", False: "[red]missed[/red]", None: ""}[row["met"]]
        table.add_row(row["ratio"], f"{row['measured']:.2f}", row["target"], met)
    return table


def _row(
    name: str, measured: float, target: float | None = None, *, at_most: bool = True
) -> dict[str, Any]:
    met = None if target is None else (measured <= target if at_most else measured >= target)
    said = "" if target is None else f"{'≤' if at_most else '≥'} {target:g}"
    return {"ratio": name, "measured": round(measured, 3), "target": said, "met": met}


def _names(runs: Iterable[Measured]) -> list[str]:
    return list(dict.fromkeys(run.subject for run in runs))


def _of(runs: list[Measured], subject: str, store: str, figure: str) -> list[float]:
    return [getattr(r, figure) for r in runs if (r.subject, r.store) == (subject, store)]


def _median(runs: list[Measured], subject: str, store: str, figure: str) -> float:
    return median(_of(runs, subject, store, figure))


def _spread(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.1f}"
    return f"{median(values):.1f} ({min(values):.1f}–{max(values):.1f})"
