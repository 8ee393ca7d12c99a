"""A scan visits every field once, counts, passes over what is unfit, and says why it ended."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sangaboard_twin import SangaboardTwin

from edge.cameras.base import CameraError, Shot
from edge.cameras.simulator import SimulatorCamera
from edge.refusal import CaptureRefused
from edge.scan.plan import Area, Plan
from edge.scan.progress import ScanProgress
from edge.scan.run import run
from edge.scan.settings import ScanSettings
from edge.scan.status import ScanStatus
from edge.stage.base import Place, Stage, StageError
from edge.stage.serial import SerialStage
from edge.stage.settings import SerialStageSettings
from edge.stage.simulator import SimulatorStage

PLAN = Plan(Area(0, 0, 50, 40), 10, 10)  # 5 × 4 fields
UNFOCUSED = ScanSettings(refocus_every=0)


class NoStage:
    """A stage that is anywhere at once."""

    name = "test"

    def __init__(self) -> None:
        self.place = Place(0, 0, 0)
        self.visited: list[Place] = []

    def move_to(self, place: Place) -> None:
        self.place = place
        self.visited.append(place)

    def close(self) -> None:
        pass


class Scope:
    """A microscope of a stage and a way to look."""

    def __init__(self, stage: Stage | None, look: Callable[[], Shot] | None = None) -> None:
        self.stage = stage
        self._look = look

    def raw(self, *, again: bool = False) -> Shot:
        assert self._look is not None
        return self._look()


def refuse(reason: str) -> CaptureRefused:
    return CaptureRefused(reason, f"It is {reason}.", "Do something.")


@pytest.fixture
def progress(tmp_path: Path) -> ScanProgress:
    return ScanProgress.begin(tmp_path / "scan.json", "s0123", PLAN, 0)


@pytest.fixture
def stop() -> threading.Event:
    return threading.Event()


def every_place(plan: Plan = PLAN) -> list[tuple[float, float]]:
    return [(plan.place(i).x, plan.place(i).y) for i in range(len(plan))]


def test_every_field_of_the_area_is_captured_once_in_order(progress, stop):
    captured: list[Place] = []
    told: list[ScanStatus] = []

    def capture(place: Place, _capture_id: str) -> int:
        captured.append(place)
        return 2

    status = run(Scope(NoStage()), capture, progress, stop, settings=UNFOCUSED, tell=told.append)
    assert [(p.x, p.y) for p in captured] == every_place()
    assert (status.activity, status.fields, status.saved, status.cells) == ("finished", 20, 20, 40)
    assert [s.fields for s in told] == [*range(1, 21), 20]
    assert {s.activity for s in told[:-1]} == {"running"}


def test_it_ends_when_enough_cells_are_counted_and_is_forgotten(tmp_path, stop):
    file = tmp_path / "scan.json"
    progress = ScanProgress.begin(file, "s0123", PLAN, 9)
    status = run(Scope(NoStage()), lambda *_: 4, progress, stop, settings=UNFOCUSED)
    assert (status.activity, status.fields, status.cells) == ("finished", 3, 12)
    assert ScanProgress.resume(file, lambda _: None) is None


def test_unfit_fields_are_counted_by_reason_and_passed_over(progress, stop):
    def capture(place: Place, _capture_id: str) -> int:
        if place.x == 20:
            raise refuse("empty-field")
        if place.y == 30:
            raise refuse("label-in-view")
        return 1

    status = run(Scope(NoStage()), capture, progress, stop, settings=UNFOCUSED)
    assert status.activity == "finished"
    assert status.refused == {"empty-field": 4, "label-in-view": 4}
    assert (status.saved, status.fields) == (12, 20)


def test_too_many_unfit_fields_in_a_row_stop_it_with_the_reason(progress, stop):
    def capture(place: Place, _capture_id: str) -> int:
        if place.y > 0:
            raise refuse("empty-field")
        return 1

    settings = ScanSettings(refocus_every=0, most_refused=4)
    status = run(Scope(NoStage()), capture, progress, stop, settings=settings)
    assert (status.activity, status.reason, status.fields) == ("failed", "scan-refused", 9)
    assert (
        status.sentence
        == "4 fields in a row were not fit to be saved; the last: It is empty-field."
    )
    assert status.remedy.startswith("Do something. Then go on")


@pytest.mark.parametrize("reason", ["disk-full", "camera-failed", "station-busy"])
def test_what_is_not_the_fields_fault_stops_it_and_the_field_is_taken_later(reason, tmp_path, stop):
    file = tmp_path / "scan.json"
    progress = ScanProgress.begin(file, "s0123", PLAN, 0)
    captured: list[tuple[float, float]] = []
    broken = True

    def capture(place: Place, _capture_id: str) -> int:
        if broken and len(captured) == 7:
            raise refuse(reason)
        captured.append((place.x, place.y))
        return 1

    status = run(Scope(NoStage()), capture, progress, stop, settings=UNFOCUSED)
    assert (status.activity, status.reason, status.fields) == ("failed", reason, 7)
    broken = False
    again = ScanProgress.resume(file, lambda _: None)
    assert again is not None
    status = run(Scope(NoStage()), capture, again, stop, settings=UNFOCUSED)
    assert (status.activity, status.resumed, status.cells) == ("finished", True, 20)
    assert captured == every_place()


def test_a_stage_that_fails_stops_it_and_its_words_stay_at_the_station(progress, stop):
    class Broken(NoStage):
        def move_to(self, place: Place) -> None:
            if place.x == 30:
                raise StageError("/dev/ttyACM0 is gone")
            super().move_to(place)

    status = run(Scope(Broken()), lambda *_: 1, progress, stop, settings=UNFOCUSED)
    assert (status.activity, status.reason, status.fields) == ("failed", "stage-failed", 3)
    assert "tty" not in status.sentence + status.remedy


def test_a_camera_that_fails_while_focusing_stops_it(progress, stop):
    def look() -> Shot:
        raise CameraError("unplugged")

    status = run(Scope(NoStage(), look), lambda *_: 1, progress, stop)
    assert (status.activity, status.reason, status.fields) == ("failed", "camera-failed", 0)


def test_progress_that_cannot_be_written_stops_it(tmp_path, stop):
    file = tmp_path / "edge" / "scan.json"
    progress = ScanProgress.begin(file, "s0123", PLAN, 0)

    def capture(place: Place, _capture_id: str) -> int:
        if place.x == 20:
            file.unlink()
            file.parent.rmdir()
            file.parent.write_text("a file in the folder's place")
        return 1

    status = run(Scope(NoStage()), capture, progress, stop, settings=UNFOCUSED)
    assert (status.activity, status.reason, status.fields) == ("failed", "scan-not-noted", 2)


def test_without_a_stage_there_is_no_scan(progress, stop):
    with pytest.raises(CaptureRefused, match="no stage") as refusal:
        run(Scope(None), lambda *_: 1, progress, stop)
    assert refusal.value.reason == "no-stage"


def test_a_person_stops_it_after_the_field_at_hand(progress, stop):
    def capture(place: Place, _capture_id: str) -> int:
        if place.x == 20:
            stop.set()
        return 1

    status = run(Scope(NoStage()), capture, progress, stop, settings=UNFOCUSED)
    assert (status.activity, status.fields, status.reason) == ("stopped", 3, "")


def test_a_stage_on_a_long_way_is_halted_within_a_second(tmp_path, progress, stop):
    twin = SangaboardTwin(tmp_path / "ttyACM0", "0.5", step_us=4000)
    wide = SerialStageSettings(um_per_step=(0.05, 0.05, 0.05), backlash_um=(0, 0, 0))
    stage = SerialStage(str(twin.link), wide)
    asked: list[float] = []

    def ask() -> None:
        asked.append(time.monotonic())
        stop.set()

    threading.Timer(0.3, ask).start()
    far = ScanProgress.begin(tmp_path / "s.json", "s0", Plan(Area(900, 0, 20, 10), 10, 10), 0)
    status = run(Scope(stage), lambda *_: 1, far, stop, settings=UNFOCUSED)
    assert time.monotonic() - asked[0] < 2  # a second, and one for a busy machine
    assert (status.activity, status.fields) == ("stopped", 0)
    stage.close()
    twin.close()


# --- with focus, over the simulated slide ---


@pytest.fixture
def camera() -> Iterator[SimulatorCamera]:
    opened = SimulatorCamera(7, "ALL", width=640, height=480, drift=0)
    yield opened
    opened.close()


def test_it_focuses_at_the_start_and_every_so_many_fields(camera, progress, stop):
    stage = SimulatorStage(camera)
    stage.move_to(Place(0, 0, 1.4))
    heights: list[float] = []

    def capture(place: Place, _capture_id: str) -> int:
        heights.append(place.z)
        camera.focus += 0.5 if len(heights) % 5 == 0 else 0.0  # the slide is tilted
        return 1

    settings = ScanSettings(refocus_every=10, refocus_span_um=4)
    status = run(Scope(stage, camera.capture), capture, progress, stop, settings=settings)
    assert (status.activity, status.unfocused) == ("finished", 0)
    assert np.abs(heights).max() < 0.15
    assert len(set(heights)) <= 2


def test_a_field_out_of_focus_is_focused_and_captured_again(camera, tmp_path, stop):
    stage = SimulatorStage(camera)
    tries: list[float] = []

    def capture(place: Place, _capture_id: str) -> int:
        tries.append(place.z)
        if len(tries) == 2:
            stage.move_to(Place(place.x, place.y, 1.0))  # somebody turned the knob
            raise refuse("out-of-focus")
        return 1

    progress = ScanProgress.begin(tmp_path / "s.json", "s0", Plan(Area(0, 0, 30, 10), 10, 10), 0)
    settings = ScanSettings(refocus_every=50, refocus_span_um=4)
    status = run(Scope(stage, camera.capture), capture, progress, stop, settings=settings)
    assert (status.saved, status.refused) == (3, {})
    assert len(tries) == 4
    assert np.abs(tries).max() < 0.15


def test_where_there_is_nothing_to_focus_on_the_height_stays(tmp_path, stop):
    stage = NoStage()
    stage.place = Place(0, 0, 7.5)
    glass = Shot(np.full((48, 64, 3), 200, np.uint8))
    progress = ScanProgress.begin(tmp_path / "s.json", "s0", Plan(Area(0, 0, 20, 10), 10, 10), 0)
    status = run(Scope(stage, lambda: glass), lambda *_: 0, progress, stop)
    assert (status.activity, status.unfocused, status.fields) == ("finished", 1, 2)
    assert stage.place.z == 7.5


def test_the_focus_and_the_place_are_remembered_over_a_power_cut(tmp_path, stop):
    """The board forgot where it is; the gears held, and the last field's place is believed."""
    file = tmp_path / "s.json"
    noted = ScanProgress.begin(file, "s0", Plan(Area(100, 50, 20, 10), 10, 10), 0)
    noted.saved(3, Place(100, 50, 4.5))
    twin = SangaboardTwin(tmp_path / "ttyACM0")
    unit = SerialStageSettings(um_per_step=(0.5, 0.5, 0.5), backlash_um=(0, 0, 0))
    stage = SerialStage(str(twin.link), unit)
    again = ScanProgress.resume(file, lambda _: None)
    assert again is not None
    captured: list[Place] = []

    def capture(place: Place, _capture_id: str) -> int:
        captured.append(place)
        return 1

    status = run(Scope(stage), capture, again, stop, settings=UNFOCUSED)
    assert captured == [Place(110, 50, 4.5)]
    assert twin.moves == [(20, 0, 0)]
    assert (status.resumed, status.cells) == (True, 4)
    stage.close()
    twin.close()
