"""Opens a stage by its name in settings, such as `serial:/dev/ttyACM0`."""

from typing import Final

from edge.cameras.base import Camera
from edge.stage.base import Stage, StageError
from edge.stage.settings import SerialStageSettings

SPECS: Final = "empty for none; simulator; serial:/dev/ttyACM0 (a Sangaboard)"
"""What a stage may be called, for help texts."""


def open_stage(
    spec: str, camera: Camera, settings: SerialStageSettings | None = None
) -> Stage | None:
    """Import what `spec` names, and nothing else, and open it.

    Args:
        spec: see `SPECS`.
        camera: the station's; the simulated stage moves the simulated camera.
        settings: of a serial stage.

    Returns:
        None without a stage.

    Raises:
        StageError: nothing is called so, or the stage cannot be opened.
        CameraError: the simulated camera cannot be opened.
    """
    kind, _, device = spec.partition(":")
    if not spec:
        return None
    if spec == "simulator":
        from edge.stage.simulator import SimulatorStage

        return SimulatorStage(camera)
    if kind == "serial" and device:
        from edge.stage.serial import SerialStage

        return SerialStage(device, settings)
    raise StageError(f"no stage is called {spec!r}: take {SPECS}")
