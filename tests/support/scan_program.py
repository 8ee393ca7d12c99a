"""A scan of a simulated slide into a spool, for tests that kill it: `scan_program.py FOLDER COUNT`.

Goes on where the run before it ended. Each frame's camera is named after its place.
"""

import sys
import threading
from pathlib import Path

from edge.cameras.base import Shot
from edge.cameras.simulator import SimulatorCamera
from edge.capture import Capturer
from edge.scan.plan import Area, Plan
from edge.scan.progress import ScanProgress
from edge.scan.run import run
from edge.scan.settings import ScanSettings
from edge.settings import EdgeSettings
from edge.spool import open_spool
from edge.stage.base import Place
from edge.stage.simulator import SimulatorStage

WIDTH, HEIGHT = 800, 600
STEP_UM = (WIDTH / 26, HEIGHT / 26)
COLUMNS = 8


class PlacedCamera(SimulatorCamera):
    """Its name says where it took its last picture."""

    def capture(self) -> Shot:
        shot = super().capture()
        self.name = f"{shot.metadata['stage_x_um']},{shot.metadata['stage_y_um']}"
        return shot


def plan(fields: int) -> Plan:
    """Of so many fields."""
    rows = -(-fields // COLUMNS)
    return Plan(Area(0, 0, COLUMNS * STEP_UM[0], rows * STEP_UM[1]), *STEP_UM)


def name(place: Place) -> str:
    """What a frame's camera is called there."""
    return f"{round(place.x, 3)},{round(place.y, 3)}"


def scan(folder: Path, fields: int) -> None:
    """Begin, or go on; returns when the area is done."""
    settings = EdgeSettings(site="home", device="scope-1", data_dir=folder, min_free_mb=0)
    spool = open_spool(settings.spool_file)
    camera = PlacedCamera(3, "Normal", width=WIDTH, height=HEIGHT, drift=0)
    capturer = Capturer(settings, camera, spool)

    class Scope:
        stage = SimulatorStage(camera)

        def raw(self, *, again: bool = False) -> Shot:
            return camera.again() if again else camera.capture()

    def capture(place: Place, capture_id: str) -> int:
        saved = capturer.capture("s0123456789", capture_id=capture_id)
        sys.stdout.write(f"{name(place)}\n")
        sys.stdout.flush()
        return len(saved.frame.cells)

    file = folder / "scan.json"
    progress = ScanProgress.resume(file, capturer.saved) or ScanProgress.begin(
        file, "s0123456789", plan(fields), target_cells=0
    )
    ended = run(
        Scope(),
        capture,
        progress,
        threading.Event(),
        settings=ScanSettings(refocus_every=0, most_refused=1000),
    )
    spool.close()
    if ended.activity != "finished":
        raise SystemExit(f"{ended}")


if __name__ == "__main__":
    scan(Path(sys.argv[1]), int(sys.argv[2]))
