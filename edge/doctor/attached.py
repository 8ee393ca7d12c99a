"""What hangs on the station: camera, stage, button and light."""

import fcntl
from typing import Final

from edge.cameras.base import Camera, CameraError, Shot
from edge.doctor.finding import Finding, ok, warning, wrong
from edge.settings import EdgeSettings

_NOT_HARDWARE: Final = ("simulator", "folder")


def agent_runs(settings: EdgeSettings) -> bool:
    """Whether another process of this station is sending, and so has what is attached.

    Makes no file: a doctor called by root would leave one that the agent cannot write.
    """
    try:
        with (settings.data_dir / "sender.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # never made, or not to be read by this user
        return False
    return False


def camera(settings: EdgeSettings) -> Finding:
    """Whether it gives a picture, and whether that could be kept."""
    kind = settings.camera.partition(":")[0]
    if kind not in _NOT_HARDWARE and agent_runs(settings):
        return _taken("camera")
    try:
        shot = _picture(settings)
    except CameraError as error:
        return wrong("camera", _sentence(error), "Put that right, then run the doctor again.")
    if kind in _NOT_HARDWARE:
        return warning(
            "camera",
            f"the {kind} gives pictures, but they are not of a slide under this microscope",
            "Set camera in the settings, such as camera = 'picamera2'.",
        )
    return _judged(shot)


def _picture(settings: EdgeSettings) -> Shot:
    from edge.cameras.late import LateCamera
    from edge.cameras.watched import Watched

    watched = Watched(LateCamera(settings.camera), settings.camera_hang_s)
    try:
        return watched.ask(lambda late: late.capture())
    finally:
        watched.close()


def _judged(shot: Shot) -> Finding:
    from imaging.quality import judge, measure

    height, width = shot.image.shape[:2]
    if problem := judge(measure(shot.image)):
        found = f"gives {width}×{height} pixels, but what is in view would be refused: "
        return warning("camera", found + problem.sentence, problem.remedy)
    return ok("camera", f"gives a picture of {width}×{height} pixels, fit to be kept")


def stage(settings: EdgeSettings) -> Finding:
    """Whether it answers; it is not moved."""
    from edge.cameras.late import LateCamera
    from edge.stage.base import StageError
    from edge.stage.open import open_stage

    if not settings.stage:
        return ok("stage", "none in the settings: the page guides the hand")
    if settings.stage != "simulator" and agent_runs(settings):
        return _taken("stage")
    seen: Camera = LateCamera(settings.camera)
    try:
        opened = open_stage(settings.stage, seen, settings.stage_serial)
        assert opened is not None  # noqa: S101  # a stage is named
        place = opened.place
        opened.close()
    except (StageError, CameraError) as error:
        return wrong("stage", _sentence(error), "Put that right, then run the doctor again.")
    finally:
        seen.close()
    return ok("stage", f"{opened.name} answers; it stands at {place.x:g}, {place.y:g}, {place.z:g}")


def panel(settings: EdgeSettings) -> Finding:
    """Whether the pins of button and light can be taken."""
    from edge.panel.pins import PanelUnavailable, open_pins

    if not settings.panel.wanted:
        return ok("button and light", "none in the settings")
    if agent_runs(settings):
        return _taken("button and light")
    try:
        pins = open_pins(settings.panel)
    except PanelUnavailable as absence:
        return warning(
            "button and light",
            str(absence),
            "Without them the page does all. To have no warning, set button_gpio = false and "
            "light_gpio = false under [panel].",
        )
    pressed = pins.button is not None and pins.button.is_pressed
    pins.close()
    if pressed:
        return warning(
            "button and light",
            f"the button on GPIO {settings.panel.button_gpio} is down though nobody presses it",
            "Check that it closes to ground only while it is pressed.",
        )
    return ok(
        "button and light",
        f"button on GPIO {settings.panel.button_gpio}, light on GPIO {settings.panel.light_gpio}",
    )


def _taken(check: str) -> Finding:
    return warning(
        check,
        "not looked at: the running agent has it",
        "The page shows how it is. To look from here: sudo systemctl stop leukoscope-edge.",
    )


def _sentence(error: Exception) -> str:
    text = error.told if isinstance(error, CameraError) else str(error)  # no folder, no file
    return text[:1].lower() + text[1:]
