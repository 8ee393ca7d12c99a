"""`leukoscope-edge capture`: takes captures and shows how far each has come."""

import json as json_format
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.table import Table

from edge.cameras.base import CameraExhausted
from edge.identity import slide_key, slide_token
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.station import Station, open_station
from wire.words import RESEARCH_USE_ONLY

_ROWS: Final = 20


@dataclass
class Line:
    """How far one capture has come."""

    number: int
    state: str = "capturing"
    capture_id: str = ""
    detail: str = ""


@dataclass
class Progress:
    """All captures of one call."""

    slide: str
    lines: list[Line] = field(default_factory=list)

    def update(self, spool: Spool) -> int:
        """Bring the lines up to date with the receipts; returns how many still wait for theirs."""
        for line in self.lines:
            if line.state == "saved" and (ending := spool.ending(line.capture_id)):
                line.state, line.detail = ending
        return sum(line.state == "saved" for line in self.lines)


def capture_fields(
    settings: EdgeSettings, accession: str, count: int, wait_s: float, *, json: bool
) -> int:
    """Capture `count` fields of a slide and wait for their receipts; returns the exit code."""
    slide = slide_token(accession, slide_key(settings.slide_key_file))
    progress = Progress(slide)
    console = Console(stderr=json, markup=False)  # file names may hold brackets
    with (
        open_station(settings, attended=False) as station,
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
    if not json:
        console.print()
    else:
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
    """Wait for the receipts, whether our agent takes them in or another process's."""
    until = time.monotonic() + wait_s
    while progress.update(station.spool) and time.monotonic() < until:
        live.update(_table(progress), refresh=True)
        time.sleep(0.1)
    live.update(_table(progress), refresh=True)


def _table(progress: Progress) -> Table:
    table = Table(title=f"slide {progress.slide}", caption=RESEARCH_USE_ONLY, caption_style="dim")
    table.add_column("field", justify="right")
    table.add_column("capture", no_wrap=True)
    table.add_column("state")
    shown = progress.lines[-_ROWS:]
    explained = any(line.detail for line in shown)
    if explained:
        table.add_column("why, and what to do", overflow="fold")
    for line in shown:
        cells = [str(line.number), line.capture_id, line.state]
        table.add_row(*cells, *([line.detail] if explained else []))
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
