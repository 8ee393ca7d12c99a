"""`leukoscope demo`: a smear field from the microscope to a stored, published result."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from uuid6 import uuid7

from cloud.settings import CloudSettings
from cloud.stores import keys
from cloud.stores.objects import open_store
from deploy.local.children import Children
from deploy.local.harvest import harvest
from deploy.local.home import Home
from deploy.local.journey import Journeys
from deploy.local.summary import summarise
from deploy.local.system import LocalSystem
from edge.agent import Hooks
from edge.cameras.base import Camera, CameraExhausted
from edge.cameras.folder import FolderCamera
from edge.cameras.simulator import SimulatorCamera
from edge.identity import slide_key, slide_token
from edge.refusal import CaptureRefused
from edge.settings import EdgeSettings
from edge.station import Station, open_station
from imaging.simulator import SlideKind
from wire import topics
from wire.codec import decode
from wire.connection import Callbacks, Connection, Delivery
from wire.messages import FrameResult

SLIDES: Final[tuple[tuple[int, SlideKind], ...]] = ((7, "ALL"), (8, "Normal"))
"""Seed and kind of the two simulated slides."""

DEFAULT_FIELDS: Final = 24
_PATIENCE_S: Final = 60.0
"""How long the demo waits, after the last capture, without any progress."""


@dataclass(frozen=True)
class Plan:
    """What to capture."""

    fields: int | None
    """None: 24 simulated fields, or all of `frames`."""
    frames: Path | None
    """Folder of the user's own images; None for the simulated microscope."""

    @property
    def planned(self) -> int | None:
        """How many fields, where that is known."""
        return self.fields or (None if self.frames else DEFAULT_FIELDS)


def run_demo(
    plan: Plan, home: Home, journeys: Journeys, said: Callable[[str], None]
) -> dict[str, Any]:
    """Start the parts, capture, wait for every answer, read the results back, sum up.

    Args:
        plan: what to capture.
        home: the data folder.
        journeys: filled while it runs.
        said: told each step in a few words.

    Raises:
        ChildDiedError: a part ended by itself.
        CameraError: `frames` cannot be read.
    """
    with _camera(plan) as camera, Children(home.logs) as children:
        system = LocalSystem(home, children, said)
        system.start()
        with _listening(system.cloud_settings, journeys):
            _capture_all(plan, camera, system.edge_settings, journeys, children, said)
        said("reading the results back")
        in_bucket = _read_back(system.cloud_settings, journeys, home.results)
        summary = summarise(journeys, in_bucket)
        said("stopping")
    return summary | {"results": str(home.results), "data": str(home.folder)}


@contextmanager
def _camera(plan: Plan) -> Iterator[Camera]:
    camera = FolderCamera(plan.frames) if plan.frames else SimulatorCamera(*SLIDES[0])
    try:
        yield camera
    finally:
        camera.close()


@contextmanager
def _listening(settings: CloudSettings, journeys: Journeys) -> Iterator[None]:
    """Listen on the result topic, as a hematologist's program would."""

    def arrived(delivery: Delivery) -> None:
        journeys.arrived(decode(delivery.payload, FrameResult))

    connection = Connection(
        settings.broker,
        f"leukoscope-demo-{uuid7()}",
        subscriptions=[topics.all_results()],
        callbacks=Callbacks(message=arrived),
        persistent=False,
    )
    connection.start()
    try:
        if not connection.wait_connected(30):
            raise TimeoutError("the broker did not accept the result listener within 30 s")
        yield
    finally:
        connection.stop()


def _capture_all(
    plan: Plan,
    camera: Camera,
    settings: EdgeSettings,
    journeys: Journeys,
    children: Children,
    said: Callable[[str], None],
) -> None:
    hooks = Hooks(settled=journeys.arrived)
    with open_station(settings, camera=camera, hooks=hooks, attended=False) as station:
        for slide in _presses(plan, camera, settings):
            children.check()
            said(f"capturing slide {slide}")
            if not _press(station, slide, journeys):
                break
        said("waiting for the last receipts")
        _wait_for_answers(journeys, children)


def _presses(plan: Plan, camera: Camera, settings: EdgeSettings) -> Iterator[str]:
    """The slide's token for each press; changes the simulated slide half way."""
    key = slide_key(settings.slide_key_file)
    if not isinstance(camera, SimulatorCamera):
        token = slide_token("replayed images", key)
        for _ in range(plan.fields or len(camera) if isinstance(camera, FolderCamera) else 0):
            yield token
        return
    total = plan.fields or DEFAULT_FIELDS
    for number, (seed, kind) in enumerate(SLIDES):
        camera.change_slide(seed, kind)
        share = total // 2 if number else total - total // 2
        for _ in range(share):
            yield slide_token(f"simulated {seed}", key)


def _press(station: Station, slide: str, journeys: Journeys) -> bool:
    """Capture one field; False when the folder has no further image."""
    journey = journeys.begin(slide)
    try:
        capture = station.capturer.capture(slide)
    except CameraExhausted:
        journeys.drop(journey)
        return False
    except CaptureRefused as refusal:
        journeys.refused(journey, str(refusal))
    else:
        journeys.saved(journey, capture)
        station.wake()
    return True


def _wait_for_answers(journeys: Journeys, children: Children) -> None:
    """Wait for every receipt and result; give up only when nothing moves any more."""
    moved = time.monotonic()
    open_before = journeys.open()
    while open_before:
        time.sleep(0.05)
        children.check()
        open_now = journeys.open()
        if open_now != open_before:
            moved, open_before = time.monotonic(), open_now
        elif time.monotonic() - moved > _PATIENCE_S:
            return  # the summary says how many are lost


def _read_back(settings: CloudSettings, journeys: Journeys, folder: Path) -> set[str]:
    saved = [journey.capture.frame for journey in journeys.all if journey.capture is not None]
    return harvest(
        open_store(settings.store),
        [journey.result for journey in journeys.all if journey.result is not None],
        [keys.result(frame.site, frame.device, frame.capture_id) for frame in saved],
        folder,
    )
