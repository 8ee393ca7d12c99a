"""The sharpness is cheap and chooses the picture that the variance of the Laplacian chooses."""

from pathlib import Path
from time import thread_time

import cv2
import numpy as np
import pytest
from focus_stacks import Stack, blurred, of_colour, simulated, variance_of_laplacian

from edge.cameras.base import CameraError, Shot
from edge.focus.burst import burst, sharpest
from edge.focus.measure import sharpness
from imaging.decode import decode
from imaging.simulator import Optics, Smear
from imaging.types import Image

FULL = (2592, 1944)


def chosen(stack: Stack) -> tuple[int, int]:
    """By our sharpness, and by the variance of the Laplacian."""
    ours = [sharpness(image) for image in stack.images]
    rival = [of_colour(image) for image in stack.images]
    return int(np.argmax(ours)), int(np.argmax(rival))


def check(stacks: list[Stack]) -> None:
    """Both choose the same picture of every stack, and it is the sharpest."""
    for stack in stacks:
        assert chosen(stack) == (stack.sharpest, stack.sharpest), stack.away


def test_it_chooses_the_same_picture_of_simulated_stacks():
    """tests/bench/focus.py asks it of 100 stacks at full size."""
    check([simulated(200 + seed, (800, 600)) for seed in range(10)])


def test_it_chooses_the_same_picture_of_real_fields_blurred_by_known_amounts(real_images: Path):
    files = sorted((real_images / "bccd" / "images").glob("*.jpg"))[200:230]
    assert len(files) == 30
    check([blurred(decode(file.read_bytes()), seed) for seed, file in enumerate(files)])


def test_it_is_thirty_times_cheaper_than_the_laplacian_of_the_full_picture():
    """By the CPU time of this thread, the quickest of many: what other programs do is left out."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        image = np.random.default_rng(1).integers(0, 255, (FULL[1], FULL[0], 3), np.uint8)
        grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        rival = min(_seconds(variance_of_laplacian, grey) for _ in range(12))
        ours = min(_seconds(sharpness, image) for _ in range(60))
    finally:
        cv2.setNumThreads(threads)
    assert rival / ours > 30


def _seconds(measure, image: Image) -> float:
    before = thread_time()
    measure(image)
    return thread_time() - before


def test_a_lamp_that_flickers_does_not_choose_the_picture():
    smear = Smear(5, "ALL")
    sharp = smear.field(60, 60, 960, 720, Optics(exposure=0.92)).image
    soft = smear.field(60, 60, 960, 720, Optics(exposure=1.08, defocus_um=0.12)).image
    assert sharpness(sharp) > sharpness(soft)
    assert of_colour(sharp) < of_colour(soft)  # where the Laplacian, unscaled, is wrong


def test_noise_alone_is_less_sharp_than_any_cell():
    smear = Smear(5, "ALL")
    field = smear.field(60, 60, 960, 720, Optics(noise=0.6)).image
    glass = np.full((720, 960, 3), 200, np.float32)
    glass += np.random.default_rng(1).normal(0, 3, glass.shape)
    assert sharpness(field) > 1.3 * sharpness(glass.astype(np.uint8))


def test_what_has_no_edge_has_no_sharpness():
    assert sharpness(np.full((48, 64, 3), 180, np.uint8)) == 0
    assert sharpness(np.zeros((48, 64, 3), np.uint8)) == 0
    assert sharpness(np.full((1, 3, 3), 9, np.uint8)) == 0
    with pytest.raises(ValueError, match="2 pixels wide"):
        sharpness(np.zeros((48, 2, 3), np.uint8))


@pytest.mark.parametrize("shape", [(1, 30_000), (30_000, 3), (3, 400_000)])
def test_odd_shapes_are_measured(shape):
    image = np.random.default_rng(2).integers(100, 200, (*shape, 3), np.uint8)
    assert sharpness(image) > 0


# --- a burst ---


def shots() -> list[Shot]:
    stack = simulated(3, (640, 480))
    return [Shot(image, {"number": n}) for n, image in enumerate(stack.images)]


def test_a_burst_keeps_the_sharpest_and_tells_all():
    taken = shots()
    best, measured = burst(iter(taken).__next__, len(taken))
    assert best is taken[sharpest(taken)]
    assert measured == [sharpness(shot.image) for shot in taken]
    assert best.metadata["number"] == simulated(3, (640, 480)).sharpest


def test_a_burst_of_one_is_a_picture():
    (only,) = shots()[:1]
    assert burst(lambda: only, 1) == (only, [sharpness(only.image)])


def test_of_equal_pictures_the_first_is_kept():
    one = shots()[0]
    assert sharpest([one, one, one]) == 0
    first, second = Shot(one.image, {"n": 1}), Shot(one.image, {"n": 2})
    assert burst(iter([first, second]).__next__, 2)[0] is first


def test_a_burst_of_nothing_is_refused():
    with pytest.raises(ValueError, match="a burst of 0 pictures"):
        burst(lambda: shots()[0], 0)
    with pytest.raises(ValueError, match="no pictures"):
        sharpest([])


def test_a_camera_that_fails_in_a_burst_fails_the_burst():
    def take() -> Shot:
        raise CameraError("unplugged")

    with pytest.raises(CameraError, match="unplugged"):
        burst(take, 3)
