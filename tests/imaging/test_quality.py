"""Whether good fields pass, bad ones are refused, and each for its own reason."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from imaging.decode import decode
from imaging.quality import Limits, Quality, judge, measure
from imaging.simulator.optics import Optics
from imaging.simulator.slide import Smear
from imaging.types import Image
from wire import messages

GOOD = Quality(focus=0.7, brightness=0.7, clipped=0.0, cast=4.0, tissue=0.5)


def _blurred(sigma: float) -> Callable[[Image], Image]:
    return lambda image: np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)


def _lit(factor: float) -> Callable[[Image], Image]:
    return lambda image: np.clip(image * factor, 0, 255).astype(np.uint8)


def _tinted(image: Image) -> Image:
    return np.asarray(image * np.array([1.0, 0.95, 0.55]), np.uint8)


@pytest.fixture(scope="module")
def real_fields(real_images: Path) -> list[Image]:
    paths = sorted((real_images / "bccd" / "images").glob("*.jpg"))
    return [decode(path.read_bytes()) for path in paths]


@pytest.fixture(scope="module")
def drawn_field() -> Image:
    return Smear(3).field(0, 0).image


def _codes(fields: list[Image], change: Callable[[Image], Image]) -> Counter[str | None]:
    problems = [judge(measure(change(field))) for field in fields]
    return Counter(problem.code if problem else None for problem in problems)


def test_quality_has_the_fields_of_its_message() -> None:
    assert list(Quality.__dataclass_fields__) == list(messages.Quality.__struct_fields__)


def test_every_real_field_passes(real_fields: list[Image]) -> None:
    assert len(real_fields) == 364
    assert _codes(real_fields, lambda field: field) == {None: 364}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_blurred(4), "out-of-focus"),
        (_blurred(8), "out-of-focus"),
        (_lit(0.25), "too-dark"),
        (_lit(1.8), "too-bright"),
        (_tinted, "colour-cast"),
    ],
    ids=["blurred by 4", "blurred by 8", "darkened", "blown out", "yellow"],
)
def test_every_spoilt_real_field_is_refused_for_its_reason(
    real_fields: list[Image], change: Callable[[Image], Image], code: str
) -> None:
    assert _codes(real_fields[::4], change) == {code: 91}


@pytest.mark.parametrize("kind", ["ALL", "AML", "Normal"])
def test_drawn_fields_pass(kind: str) -> None:
    for seed in range(3):
        smear = Smear(seed, kind)  # type: ignore[arg-type]  # parametrised over its three words
        assert judge(measure(smear.field(40.0 * seed, 10.0).image)) is None


def test_a_drawn_field_far_from_focus_is_refused() -> None:
    image = Smear(3).field(0, 0, optics=Optics(defocus_um=6.0)).image
    problem = judge(measure(image))
    assert problem is not None
    assert problem.code == "out-of-focus"


@pytest.mark.parametrize(
    ("level", "code"),
    [(0, "too-dark"), (60, "too-dark"), (200, "empty-field"), (255, "too-bright")],
)
@pytest.mark.parametrize("noise", [0, 4])
def test_a_uniform_image_is_refused(level: int, code: str, noise: int) -> None:
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal(level, noise, (480, 640, 3)), 0, 255).astype(np.uint8)
    problem = judge(measure(image))
    assert problem is not None
    assert problem.code == code


def test_bare_glass_has_no_tissue_even_under_a_lamp_that_is_off_centre() -> None:
    rows, columns = np.mgrid[:480, :640]
    lamp = 1 - 0.3 * ((rows - 240) ** 2 + (columns - 320) ** 2) / 400**2
    glass = np.array([225.0, 215.0, 200.0]) * lamp[..., None]
    assert measure(glass.astype(np.uint8)).tissue < 0.01


def test_focus_falls_steadily_as_a_field_is_blurred(drawn_field: Image) -> None:
    figures = [measure(_blurred(sigma)(drawn_field)).focus for sigma in (1, 2, 4, 8, 16)]
    assert figures == sorted(figures, reverse=True)
    assert figures[0] > 4 * figures[-1]


def test_focus_hardly_moves_with_the_lamp(drawn_field: Image) -> None:
    bright, dim = measure(drawn_field).focus, measure(_lit(0.6)(drawn_field)).focus
    assert dim == pytest.approx(bright, rel=0.1)


def test_figures_hardly_move_with_the_cameras_resolution(drawn_field: Image) -> None:
    small = cv2.resize(drawn_field, (640, 480), interpolation=cv2.INTER_AREA)
    one, other = measure(drawn_field), measure(np.asarray(small, np.uint8))
    assert other.focus == pytest.approx(one.focus, rel=0.1)
    assert other.tissue == pytest.approx(one.tissue, abs=0.02)
    assert other.brightness == pytest.approx(one.brightness, abs=0.01)


def test_brightness_is_the_luma_of_a_plain_colour() -> None:
    image = np.full((64, 64, 3), (250, 100, 50), np.uint8)
    expected = (0.299 * 250 + 0.587 * 100 + 0.114 * 50) / 255
    assert measure(image).brightness == pytest.approx(expected, abs=1e-4)


def test_clipped_counts_pure_white_and_pure_black() -> None:
    image = np.full((160, 160, 3), 128, np.uint8)
    image[:40] = 255
    image[40:60] = 0
    image[60:80, :, 0] = 255
    assert measure(image).clipped == pytest.approx(60 / 160)


def test_cast_is_the_chroma_of_the_background() -> None:
    gray = measure(np.full((64, 64, 3), 200, np.uint8))
    assert gray.cast == pytest.approx(0, abs=0.1)
    lab = cv2.cvtColor(np.array([[[0.9, 0.8, 0.6]]], np.float32), cv2.COLOR_RGB2Lab)[0, 0]
    cream = np.full((64, 64, 3), np.rint(np.array([0.9, 0.8, 0.6]) * 255), np.uint8)
    assert measure(cream).cast == pytest.approx(float(np.hypot(lab[1], lab[2])), abs=0.5)


@pytest.mark.parametrize(
    ("spoilt", "code"),
    [
        (replace(GOOD, brightness=0.2), "too-dark"),
        (replace(GOOD, brightness=0.97), "too-bright"),
        (replace(GOOD, clipped=0.4), "clipped"),
        (replace(GOOD, tissue=0.001), "empty-field"),
        (replace(GOOD, focus=0.1), "out-of-focus"),
        (replace(GOOD, cast=40.0), "colour-cast"),
    ],
)
def test_a_problem_names_its_figure_and_what_to_do(spoilt: Quality, code: str) -> None:
    problem = judge(spoilt)
    assert problem is not None
    assert problem.code == code
    assert any(character.isdigit() for character in problem.sentence)
    assert problem.remedy.endswith("capture again.")


def test_light_is_put_right_before_focus() -> None:
    problem = judge(replace(GOOD, brightness=0.1, focus=0.0, tissue=0.0))
    assert problem is not None
    assert problem.code == "too-dark"


def test_a_site_may_set_its_own_limits() -> None:
    assert judge(GOOD) is None
    strict = judge(GOOD, Limits(focus=0.9))
    assert strict is not None
    assert strict.code == "out-of-focus"
