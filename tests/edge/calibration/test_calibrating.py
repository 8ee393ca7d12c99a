"""The station calibrates, corrects from then on and after a restart, and says when it cannot."""

import pytest
from glass import CROOKED, GlassCamera

from edge.calibration import CalibrationError
from edge.calibration.drift import background
from edge.calibration.store import file_of
from edge.cameras.simulator import SimulatorCamera
from edge.desk.care import SHOTS, Care
from edge.microscope import Microscope
from edge.trouble import Troubles


@pytest.fixture
def station(tmp_path):
    """Opens microscope and care as a start of the station does, and closes them all."""
    opened = []

    def start(camera):
        microscope, troubles = Microscope(camera), Troubles()
        care = Care(tmp_path, microscope, troubles)
        microscope.find_correction = care.correction
        opened.append((microscope, care))
        return microscope, care, troubles

    yield start
    for microscope, care in opened:
        microscope.close()
        care.trend.close()


def cast(picture):
    seen = background(picture)
    assert seen is not None
    return seen.cast


def test_pictures_are_white_from_the_calibration_on_and_after_a_restart(station):
    microscope, care, _ = station(GlassCamera())
    assert cast(microscope.capture().image) > 12
    correction = care.calibrate()
    assert correction.shots == SHOTS
    assert cast(microscope.capture().image) < 1
    assert cast(microscope.preview()) < 1
    assert cast(microscope.raw().image) > 12
    restarted, _, troubles = station(GlassCamera())
    restarted.capture()  # the camera has told its name
    assert cast(restarted.capture().image) < 1
    assert str(troubles) == ""


def test_a_second_calibration_is_made_of_uncorrected_pictures(station):
    microscope, care, _ = station(GlassCamera())
    first, second = care.calibrate(), care.calibrate()
    assert second.colour == pytest.approx(first.colour, abs=0.5)
    assert cast(microscope.capture().image) < 1


def test_a_smear_is_refused_and_the_earlier_calibration_still_holds(station, tmp_path):
    microscope, care, _ = station(SimulatorCamera(7, "ALL", width=640, height=480))
    with pytest.raises(CalibrationError) as caught:
        care.calibrate()
    assert caught.value.reason == "calibration-not-empty"
    assert not file_of(tmp_path, microscope.name).exists()
    assert microscope.correction is None


def test_a_damaged_calibration_is_a_trouble_until_the_next_one(station, tmp_path):
    camera = GlassCamera(CROOKED)
    _, care, _ = station(camera)
    care.calibrate()
    file_of(tmp_path, camera.name).write_text("{")
    microscope, care, troubles = station(GlassCamera())
    microscope.capture()
    assert "not corrected" in str(troubles)
    assert cast(microscope.capture().image) > 12
    care.calibrate()
    assert str(troubles) == ""
    assert cast(microscope.capture().image) < 1
