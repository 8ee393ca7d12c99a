"""The simulated stage moves the simulated camera; a stage is opened by its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sangaboard_twin import SangaboardTwin

from edge.cameras.folder import FolderCamera
from edge.cameras.late import LateCamera
from edge.cameras.simulator import SimulatorCamera
from edge.stage.base import Place, Stage, StageError
from edge.stage.open import open_stage
from edge.stage.simulator import SimulatorStage


@pytest.fixture
def camera() -> Iterator[SimulatorCamera]:
    opened = SimulatorCamera(7, width=320, height=240, drift=0)
    yield opened
    opened.close()


def test_it_takes_the_camera_to_a_place_and_a_height(camera):
    stage: Stage = SimulatorStage(camera)
    stage.move_to(Place(100, 50, 1.5))
    shot = camera.capture()
    assert shot.metadata["stage_x_um"] == 100
    assert shot.metadata["stage_y_um"] == 50
    assert shot.metadata["defocus_um"] == 1.5
    assert stage.place == Place(100, 50, 1.5)


def test_the_camera_stays_where_the_stage_is_until_the_stage_is_closed(camera):
    stage = SimulatorStage(camera)
    stage.move_to(Place(100, 50, 0))
    places = {(s.metadata["stage_x_um"], s.metadata["stage_y_um"]) for s in _shots(camera, 3)}
    assert places == {(100, 50)}
    stage.close()
    stage.close()
    assert _shots(camera, 1)[0].metadata["stage_x_um"] != 100
    with pytest.raises(StageError, match="closed"):
        stage.move_to(Place(0, 0, 0))


def _shots(camera: SimulatorCamera, count: int):
    return [camera.capture() for _ in range(count)]


def test_a_place_out_of_reach_is_refused(camera):
    with pytest.raises(StageError, match=r"out of reach: .*choose a nearer area"):
        SimulatorStage(camera).move_to(Place(1e9, 0, 0))


def test_no_name_is_no_stage(camera):
    assert open_stage("", camera) is None


def test_the_simulator_is_opened_over_its_camera_even_when_that_opens_late(camera):
    direct = open_stage("simulator", camera)
    assert direct is not None
    assert direct.name == "simulator"
    late = LateCamera("simulator:3")
    stage = open_stage("simulator", late)
    assert stage is not None
    stage.move_to(Place(60, 60, 2))
    assert late.capture().metadata["focus_um"] == 2
    late.close()


def test_it_goes_on_with_a_camera_that_was_opened_again(camera):
    stage = SimulatorStage(camera)
    stage.move_to(Place(100, 50, 1.5))
    fresh = LateCamera("simulator:3")
    stage.follow(fresh)
    assert stage.place == Place(100, 50, 1.5)
    assert fresh.capture().metadata["stage_x_um"] == 100
    stage.move_to(Place(0, 50, 0))
    assert fresh.capture().metadata["stage_x_um"] == 0
    assert camera.stage == (100, 50)
    fresh.close()


def test_the_simulated_stage_moves_no_other_camera(tmp_path, camera):
    (tmp_path / "field.png").write_bytes(b"not looked at")
    with pytest.raises(StageError, match="the camera is folder: set camera to simulator"):
        open_stage("simulator", FolderCamera(tmp_path))


def test_a_serial_stage_is_opened_by_its_device(tmp_path: Path, camera):
    twin = SangaboardTwin(tmp_path / "ttyACM0")
    stage = open_stage(f"serial:{twin.link}", camera)
    assert stage is not None
    assert stage.name == "serial"  # a path may be called after a patient
    stage.move_to(Place(7, 7, 5))
    assert twin.position == [100, 100, 100]
    stage.close()
    twin.close()


@pytest.mark.parametrize("spec", ["serial", "serial:", "grbl:/dev/ttyUSB0", "Simulator"])
def test_a_name_that_means_nothing_is_a_clear_error(spec, camera):
    with pytest.raises(StageError, match=rf"no stage is called '{spec}': take .*Sangaboard"):
        open_stage(spec, camera)
