"""`leukoscope-edge capture`: takes captures and shows how far each has come."""

import json as json_format
import sys
import threading
import time
from dataclasses import asdict, dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table

from edge.agent import Hooks
from edge.cameras.base import CameraExhausted
from edge.identity import slide_key, slide_token
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.station import Station, open_station
from wire.messages import Receipt
from wire.words import RESEARCH_USE_ONLY


@dataclass
class Line:
    """How far one capture has come."""

    number: int
    state: str = "capturing"
    capture_id: str = ""
    detail: str = ""


@dataclass
class Progress:
    """All captures of one call, changed by two threads."""

    slide: str
    lines: list[Line] = field(default_factory=list)
    settled: dict[str, Receipt] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settle(self, receipt: Receipt) -> None:
        """Note a receipt (on the agent's thread)."""
        with self.lock:
            if receipt.capture_id is not None:
                self.settled[receipt.capture_id] = receipt

    def update(self) -> None:
        """Bring the lines up to date with the receipts."""
        with self.lock:
            for line in self.lines:
                if receipt := self.settled.get(line.capture_id):
                    line.state = receipt.outcome
                    line.detail = receipt.detail

    def waiting(self) -> int:
        """How many are saved and have no receipt yet."""
        self.update()
        return sum(line.state == "saved" for line in self.lines)


def capture_fields(
    settings: EdgeSettings, accession: str, count: int, wait_s: float, *, json: bool
) -> int:
    """Capture `count` fields of a slide and wait for their receipts; returns the exit code."""
    slide = slide_token(accession, slide_key(settings.slide_key_file))
    progress = Progress(slide)
    console = Console(stderr=json)
    with (
        open_station(settings, hooks=Hooks(settled=progress.settle)) as station,
        Live(console=console, auto_refresh=False, transient=json) as live,
    ):
        for number in range(1, count + 1):
            line = Line(number)
            progress.lines.append(line)
            live.update(_table(progress), refresh=True)
            if not _capture(station, slide, line):
                progress.lines.pop()
                break
            live.update(_table(progress), refresh=True)
        _await_receipts(station, progress, wait_s, live)
    if json:
        sys.stdout.write(json_format.dumps(_report(progress), indent=2) + "\n")
    return _exit_code(progress)


def _capture(station: Station, slide: str, line: Line) -> bool:
    """Take one capture; False when the camera has no further picture."""
    try:
        capture = station.capturer.capture(slide)
    except CameraExhausted:
        return False
    except CaptureRefused as refusal:
        line.state, line.detail = "refused", str(refusal)
        return True
    line.state, line.capture_id = "saved", capture.frame.capture_id
    station.wake()
    return True


def _await_receipts(station: Station, progress: Progress, wait_s: float, live: Live) -> None:
    if station.agent is None:  # the running agent sends them and takes the receipts
        return
    until = time.monotonic() + wait_s
    while progress.waiting() and time.monotonic() < until:
        time.sleep(0.05)
        live.update(_table(progress), refresh=True)
    live.update(_table(progress), refresh=True)


def _table(progress: Progress) -> Table:
    progress.update()
    table = Table(title=f"slide {progress.slide}", caption=RESEARCH_USE_ONLY)
    for column in ("field", "capture", "state", ""):
        table.add_column(column, overflow="fold")
    for line in progress.lines[-20:]:
        table.add_row(str(line.number), line.capture_id, line.state, line.detail)
    return table


def _report(progress: Progress) -> dict[str, object]:
    return {
        "notice": RESEARCH_USE_ONLY,
        "slide": progress.slide,
        "captures": [asdict(line) for line in progress.lines],
    }


def _exit_code(progress: Progress) -> int:
    states = {line.state for line in progress.lines}
    if "refused" in states:
        return 3
    return 4 if "saved" in states else 0
