"""The microscope: one camera for all, watched and corrected."""

import threading
import time

import numpy as np
import pytest
from rig import until

from edge.cameras.base import Adjustment, CameraError, Shot
from edge.cameras.simulator import SimulatorCamera
from edge.microscope import Microscope
from edge.stage.base import Place
from edge.stage.simulator import SimulatorStage


class Twin:
    """A camera that does what a test says: gives grey pictures, fails, or hangs."""

    def __init__(self, level=100):
        self.name = "twin:1"
        self.level = level
        self.error = None
        self.hangs = False
        self.released = threading.Event()
        self.asked = 0
        self.within = 0
        self.most_within = 0
        self.closed = threading.Event()

    def capture(self):
        self.asked += 1
        self.within += 1
        self.most_within = max(self.most_within, self.within)
        try:
            if self.hangs:
                self.released.wait(30)
            if self.error:
                raise self.error
            time.sleep(0.002)
            return Shot(np.full((96, 1280, 3), self.level, np.uint8))
        finally:
            self.within -= 1

    def close(self):
        self.closed.set()


class Seeing(Twin):
    """One that has a preview of its own."""

    def preview(self):
        return self.capture().image[:, :640]


class Doubling:
    """A correction that shows."""

    def apply(self, image):
        return image * 2


@pytest.fixture
def opened():
    """Makes microscopes, and closes them."""
    made = []

    def make(camera, stage=None, **options):
        made.append(Microscope(camera, stage, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_captures_and_previews_of_many_threads_take_turns(opened):
    camera = Seeing()
    microscope = opened(camera)
    looks = [threading.Thread(target=microscope.preview) for _ in range(20)]
    presses = [threading.Thread(target=microscope.capture) for _ in range(20)]
    for thread in looks + presses:
        thread.start()
    for thread in looks + presses:
        thread.join()
    assert camera.asked == 40
    assert camera.most_within == 1


def test_pictures_and_previews_are_corrected_and_raw_ones_are_not(opened):
    microscope = opened(Seeing(), correction=Doubling())
    assert microscope.capture().image.max() == 200
    assert microscope.again().image.max() == 200
    assert microscope.preview().max() == 200
    assert microscope.raw().image.max() == 100


def test_the_correction_is_looked_for_once_the_camera_has_told_its_name(opened):
    asked = []

    def find(name):
        asked.append(name)
        return Doubling()

    microscope = opened(Twin(), find_correction=find)
    assert asked == []
    assert [microscope.capture().image.max() for _ in range(2)] == [200, 200]
    assert asked == ["twin:1"]


def test_a_camera_without_a_preview_shows_its_captures_shrunk(opened):
    assert opened(Twin()).preview().shape == (48, 640, 3)


def test_a_camera_that_hangs_is_an_error_in_time_and_is_opened_again(opened):
    hung, fresh, told = Seeing(), Seeing(level=50), []
    hung.hangs = True
    microscope = opened(hung, reopen=lambda: fresh, hang_s=0.3)
    microscope.told = told.append
    began = time.monotonic()
    with pytest.raises(CameraError, match=r"gave no picture within 0\.3 s"):
        microscope.capture()
    assert time.monotonic() - began < 2
    assert "being opened again" in microscope.camera_problem
    with pytest.raises(CameraError):  # at once, and without waiting for the one that hangs
        microscope.capture()
    until(lambda: microscope.camera_problem == "", 5, "it is opened again")
    assert microscope.capture().image.max() == 50
    assert [bool(problem) for problem in told] == [True, False]
    hung.released.set()
    assert hung.closed.wait(5)  # when its driver came back, it was given back


def test_a_camera_that_cannot_be_opened_again_is_tried_until_it_can(opened):
    hung, gone, fresh = Seeing(), Seeing(), Seeing(level=50)
    hung.hangs = True
    gone.error = CameraError("no camera at 0: check that it is plugged in")
    rest = iter([gone, fresh])
    microscope = opened(hung, reopen=lambda: next(rest), hang_s=0.2)
    with pytest.raises(CameraError):
        microscope.preview()
    until(lambda: "plugged in" in microscope.camera_problem, 5, "the first try fails")
    until(lambda: microscope.camera_problem == "", 5, "the second one does not")
    assert gone.closed.wait(1)
    assert microscope.preview().max() == 50
    hung.released.set()


def test_an_unplugged_camera_is_a_problem_until_it_gives_a_picture(opened):
    camera = Seeing()
    microscope = opened(camera)
    camera.error = CameraError("camera /secret gave no frame", told="camera 0 gave no frame")
    with pytest.raises(CameraError, match="secret"):
        microscope.capture()
    assert microscope.camera_problem == "camera 0 gave no frame"
    camera.error = None
    microscope.capture()
    assert microscope.camera_problem == ""


def test_previews_do_not_ask_a_camera_that_is_away_at_every_look(opened):
    camera = Seeing()
    camera.error = CameraError("no camera")
    microscope = opened(camera)
    for _ in range(10):
        with pytest.raises(CameraError, match="no camera"):
            microscope.preview()
    assert camera.asked == 1
    with pytest.raises(CameraError):
        microscope.capture()
    assert camera.asked == 2  # a press asks at once


def test_an_adjustment_that_is_not_taken_is_no_problem_of_the_camera(opened):
    microscope = opened(Twin())
    with pytest.raises(CameraError, match="cannot be set from here"):
        microscope.adjust(Adjustment(gain=2))
    assert microscope.camera_problem == ""


def test_a_closed_microscope_says_so_and_closes_camera_and_stage_once_more(opened):
    camera = Twin()

    class Rest:
        name = "rest"
        place = Place(0, 0)
        closed = 0

        def move_to(self, place):
            raise AssertionError

        def close(self):
            self.closed += 1

    microscope = opened(camera, Rest())
    microscope.close()
    assert camera.closed.is_set()
    with pytest.raises(CameraError, match="is closed"):
        microscope.capture()


def test_the_simulated_camera_is_watched_like_any_other(opened):
    microscope = opened(SimulatorCamera(7, width=640, height=480))
    assert microscope.name == "simulator:7"
    shown = microscope.preview()
    assert shown.shape == (480, 640, 3)
    assert microscope.capture().truth


class Undrawn(SimulatorCamera):
    """A simulator that takes no time to draw, and hangs when told."""

    hangs = False

    def capture(self):
        if self.hangs:
            time.sleep(1.0)
        return Shot(np.full((48, 64, 3), 100, np.uint8))

    def preview(self):
        return self.capture().image


def test_the_simulated_stage_follows_a_camera_that_was_opened_again(opened):
    camera, fresh = Undrawn(), Undrawn()
    microscope = opened(camera, SimulatorStage(camera), reopen=lambda: fresh, hang_s=0.5)
    microscope.stage.move_to(Place(100, 50, 1.5))
    camera.hangs = True
    with pytest.raises(CameraError):
        microscope.capture()
    until(lambda: not microscope.camera_problem, 10, "the camera is back")
    assert (fresh.stage, fresh.focus, fresh.advance) == ((100, 50), 1.5, False)
    microscope.stage.move_to(Place(200, 50, -1.0))
    assert (fresh.stage, fresh.focus) == ((200, 50), -1.0)
    assert camera.stage == (100, 50)


def test_a_stage_that_cannot_follow_is_a_camera_problem(opened):
    camera = Undrawn()
    microscope = opened(camera, SimulatorStage(camera), reopen=Twin, hang_s=0.5)
    camera.hangs = True
    with pytest.raises(CameraError):
        microscope.capture()
    until(lambda: "does not follow" in microscope.camera_problem, 10, "it is said")
