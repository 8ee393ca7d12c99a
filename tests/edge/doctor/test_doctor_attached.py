"""The doctor on camera, stage, button and light."""

import fcntl
import shutil
from pathlib import Path

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from edge.doctor import attached
from edge.settings import EdgeSettings

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def settings(folder: Path, **given: object) -> EdgeSettings:
    return EdgeSettings(site="home", device="scope-1", data_dir=folder, **given)


@pytest.fixture
def running(tmp_path):
    """An agent that sends this station's spool: it holds the lock."""
    with (tmp_path / "sender.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


@pytest.fixture
def pins():
    """A machine with GPIO."""
    before, gpiozero.Device.pin_factory = gpiozero.Device.pin_factory, MockFactory()
    yield gpiozero.Device.pin_factory
    gpiozero.Device.pin_factory.reset()
    gpiozero.Device.pin_factory = before


def test_a_camera_that_is_not_there_is_wrong_and_says_what_to_check(tmp_path):
    found = attached.camera(settings(tmp_path, camera="opencv:/dev/video99"))
    assert found.state == "wrong"
    assert "/dev/video99" in found.found
    assert "plugged in" in found.found


def test_the_simulator_is_no_microscope_and_that_is_a_warning(tmp_path):
    found = attached.camera(settings(tmp_path))
    assert (found.state, found.check) == ("warning", "camera")
    assert "camera = 'picamera2'" in found.remedy


def test_a_camera_whose_picture_would_be_refused_says_why(tmp_path, monkeypatch):
    monkeypatch.setattr(attached, "_NOT_HARDWARE", ())
    simulated = settings(tmp_path, camera="simulator:7")
    assert attached.camera(simulated).state == "ok"
    shot = attached._picture(simulated)
    assert attached._judged(shot).state == "ok"
    dark = attached._judged(type(shot)(shot.image // 4))
    assert dark.state == "warning"
    assert "too dark" in dark.found
    assert "lamp" in dark.remedy


def test_what_the_running_agent_has_is_not_taken_from_it(running):
    taken = settings(running, camera="opencv:0", stage="serial:/dev/ttyACM0")
    for check in (attached.camera, attached.stage, attached.panel):
        found = check(taken)
        assert found.state == "warning"
        assert "running agent" in found.found
        assert "systemctl stop" in found.remedy


def test_a_lock_that_nobody_holds_or_that_was_never_made_is_no_running_agent(tmp_path):
    assert not attached.agent_runs(settings(tmp_path / "nowhere"))
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "sender.lock").touch()
    assert not attached.agent_runs(settings(tmp_path))


def test_no_stage_is_well_and_the_simulated_one_answers(tmp_path):
    assert attached.stage(settings(tmp_path)).state == "ok"
    found = attached.stage(settings(tmp_path, stage="simulator"))
    assert found.state == "ok", found
    assert "it stands at" in found.found


def test_a_stage_that_is_not_there_is_wrong(tmp_path):
    found = attached.stage(settings(tmp_path, stage="serial:/dev/ttyACM99"))
    assert found.state == "wrong"
    assert "ttyACM99" in found.found


def test_a_machine_without_gpio_is_warned_and_told_how_to_be_quiet(tmp_path):
    found = attached.panel(settings(tmp_path))
    assert found.state == "warning"
    assert "button_gpio = false" in found.remedy
    quiet = settings(tmp_path, panel={"button_gpio": False, "light_gpio": False})
    assert attached.panel(quiet).state == "ok"


def test_pins_that_can_be_taken_are_well_and_given_back(tmp_path, pins):
    assert attached.panel(settings(tmp_path)).state == "ok"
    assert attached.panel(settings(tmp_path)).state == "ok"  # the first look gave them back


def test_a_button_that_is_down_though_nobody_presses_it_is_a_warning(tmp_path, pins, monkeypatch):
    pin = pins.pin(17)
    monkeypatch.setattr(type(pin), "_set_pull", lambda self, value: setattr(self, "_pull", value))
    pin._state = False  # to ground
    found = attached.panel(settings(tmp_path))
    assert found.state == "warning"
    assert "GPIO 17 is down" in found.found


def test_looking_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "station"
    for check in (attached.camera, attached.stage, attached.panel):
        check(settings(folder))
    assert not folder.exists()
    shutil.rmtree(folder, ignore_errors=True)
