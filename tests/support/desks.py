"""A desk with a real spool and a simulated microscope, and no agent unless a test attaches one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.cameras.base import Camera
from edge.cameras.simulator import SimulatorCamera
from edge.desk import Desk
from edge.microscope import Microscope
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.stage.simulator import SimulatorStage


def desk_settings(folder: Path, **changes: object) -> EdgeSettings:
    values = {"site": "home", "device": "scope-1", "data_dir": folder, "min_free_mb": 0, "burst": 1}
    return EdgeSettings(**(values | changes))


@contextmanager
def desk_at(
    settings: EdgeSettings, camera: Camera | None = None, *, stage: bool = False
) -> Iterator[Desk]:
    """An open desk; `stage` gives the simulated one to a simulated camera."""
    camera = camera or SimulatorCamera(7, "ALL")
    spool = Spool(settings.spool_file, settings.min_free_mb)
    microscope = Microscope(camera, SimulatorStage(camera) if stage else None)
    desk = Desk(settings, microscope, spool)
    desk.spool, desk.microscope = spool, microscope
    try:
        yield desk
    finally:
        desk.close()
        microscope.close()
        spool.close()
