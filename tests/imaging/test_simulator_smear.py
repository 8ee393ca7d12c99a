"""A simulated slide is one slide: the same from everywhere, with the right cells on it."""

from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.box import Box
from imaging.quality import judge, measure
from imaging.simulator import (
    KINDS,
    SMEAR_BEGINS_UM,
    DrawnCell,
    Field,
    Optics,
    SlideKind,
    Smear,
    slide,
)
from imaging.simulator.places import window_at
from imaging.types import Image

SLIDE_KINDS: tuple[SlideKind, ...] = get_args(SlideKind)
NO_NOISE = Optics(noise=0, vignetting=0, tilt=(0, 0), dust=0)
PLACES = [(0.0, 0.0), (60.0, 0.0), (120.0, 40.0), (-500.0, 900.0)]


def cells_of(smear: Smear, fields: int = 4) -> list[DrawnCell]:
    return [c for n in range(fields) for c in smear.field(50.0 * n, 0, optics=NO_NOISE).cells]


def kinds_on(smear: Smear) -> list[str]:
    """Kinds of the white cells of 100 fields, unpainted."""
    return [spot.kind for spot in smear._whites.within(window_at(0, 0, 12_800, 9_600), 0)]


def sharpness(image: Image) -> float:
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 2), cv2.CV_32F).var())


def darkest(image: Image, box: Box, share: float = 0.2) -> np.ndarray:
    """Mask (rows, columns of the whole image) of the darkest violet pixels inside `box`."""
    red = image[box.y : box.y + box.h, box.x : box.x + box.w, 0]
    mask = np.zeros(image.shape[:2], bool)
    mask[box.y : box.y + box.h, box.x : box.x + box.w] = red <= np.quantile(red, share)
    return mask


@pytest.mark.parametrize("kind", SLIDE_KINDS)
def test_the_same_seed_and_place_give_the_same_bytes(kind: SlideKind) -> None:
    first = Smear(5, kind).field(33.3, -70.1)
    again = Smear(5, kind)
    again.field(0, 0)  # what was looked at before does not matter
    second = again.field(33.3, -70.1)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.cells == second.cells


def test_another_seed_or_place_gives_another_picture() -> None:
    images = [
        Smear(1).field(0, 0).image,
        Smear(2).field(0, 0).image,
        Smear(1).field(80, 0).image,
    ]
    assert len({image.tobytes() for image in images}) == 3


def test_two_pictures_of_one_place_differ_by_their_noise_only() -> None:
    smear = Smear(3)
    first, second = (smear.field(0, 0, optics=Optics(frame=n)).image for n in (1, 2))
    difference = first.astype(int) - second.astype(int)
    assert difference.any()
    assert abs(difference.mean()) < 0.1
    assert difference.std() < 3


@given(
    x=st.floats(-1e4, 1e4),
    y=st.floats(-1e4, 1e4),
    right=st.integers(0, 120),
    down=st.integers(0, 120),
)
@settings(max_examples=8, deadline=None)
def test_what_two_fields_share_looks_alike_in_both(
    x: float, y: float, right: int, down: int
) -> None:
    smear = Smear(11, "AML")
    # Whole drawn pixels (two camera pixels) apart, where the stage stops.
    x, y = round(x * 13) / 13, round(y * 13) / 13
    here = smear.field(x, y, 480, 400, NO_NOISE).image
    there = smear.field(x + right / 13, y + down / 13, 480, 400, NO_NOISE).image
    shared = here[2 * down :, 2 * right :]
    same = there[: shared.shape[0], : shared.shape[1]]
    # The lens mirrors at the picture's edges: leave those out.
    np.testing.assert_array_equal(shared[16:-16, 16:-16], same[16:-16, 16:-16])


def test_one_cell_is_found_from_two_overlapping_places() -> None:
    smear = Smear(7, "ALL")
    here = smear.field(0, 0, optics=NO_NOISE)
    there = smear.field(130 / 13, 65 / 13, optics=NO_NOISE)
    moved = [(Box(c.box.x + 260, c.box.y + 130, c.box.w, c.box.h), c.kind) for c in there.cells]
    # Only cells that no edge cuts keep their box.
    whole = [c for c in here.cells if inside(c.box, 260, 130, 1280, 960)]
    assert whole
    for cell in whole:
        assert (cell.box, cell.kind) in moved


def inside(box: Box, left: int, top: int, right: int, bottom: int) -> bool:
    return box.x > left and box.y > top and box.x + box.w < right and box.y + box.h < bottom


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(SLIDE_KINDS),
    x=st.floats(-1e5, 1e5),
    y=st.floats(-1e5, 1e5),
    width=st.integers(1, 500),
    height=st.integers(1, 500),
)
@settings(max_examples=20, deadline=None)
def test_every_field_is_an_image_with_its_boxes_inside(
    seed: int, kind: SlideKind, x: float, y: float, width: int, height: int
) -> None:
    field = Smear(seed, kind).field(x, y, width, height)
    assert field.image.shape == (height, width, 3)
    assert field.image.dtype == np.uint8
    for cell in field.cells:
        assert cell.box.w >= 1
        assert cell.box.h >= 1
        assert inside(cell.box, -1, -1, width + 1, height + 1)
        assert cell.label == KINDS[cell.kind].label


def test_a_cell_cut_by_more_than_half_is_not_in_the_truth() -> None:
    smear = Smear(7, "ALL")
    cell = max(smear.field(0, 0).cells, key=lambda c: c.box.w * c.box.h)
    middle = (cell.box.x + cell.box.w / 2) / 26
    before = smear.field(middle - 3, 0)  # the left edge cuts off less than half
    after = smear.field(middle + 3, 0)
    assert any(c.box.x == 0 and c.kind == cell.kind for c in before.cells)
    assert not any(c.box.x == 0 and abs(c.box.y - cell.box.y) < 40 for c in after.cells)


@pytest.mark.parametrize("kind", SLIDE_KINDS)
def test_a_box_holds_its_nucleus_and_nuclei_are_the_darkest(kind: SlideKind) -> None:
    smear = Smear(21, kind)
    for place in PLACES:
        field = smear.field(*place, optics=NO_NOISE)
        _check_nuclei(field)


def _check_nuclei(field: Field) -> None:
    outside = np.ones(field.image.shape[:2], bool)
    for cell in field.cells:
        outside[cell.box.y : cell.box.y + cell.box.h, cell.box.x : cell.box.x + cell.box.w] = False
        nucleus = field.image[darkest(field.image, cell.box)].mean(axis=0)
        red, green, blue = nucleus
        assert blue > red > green  # violet
        assert green < 110
        ring = field.image[_frame(cell.box, field.image.shape)]
        # Some of the frame may cross a neighbour; its median is carpet or glass.
        assert np.median(ring[:, 1]) > green + 30


def _frame(box: Box, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.rectangle(mask, (box.x - 3, box.y - 3), (box.x + box.w + 2, box.y + box.h + 2), 1, 2)
    return mask.astype(bool)


def test_a_healthy_slide_holds_normal_cells_only() -> None:
    for seed in range(4):
        assert not set(kinds_on(Smear(seed, "Normal"))) & {"lymphoblast", "myeloblast"}
    assert {cell.label for cell in cells_of(Smear(4, "Normal"))} == {"Normal"}


@pytest.mark.parametrize(("kind", "blast"), [("ALL", "lymphoblast"), ("AML", "myeloblast")])
def test_a_leukemia_slide_mixes_its_blasts_into_normal_cells(kind: SlideKind, blast: str) -> None:
    smear = Smear(3, kind)
    cells = cells_of(smear)
    assert {cell.label for cell in cells} == {kind, "Normal"}
    assert {cell.kind for cell in cells if cell.label == kind} == {blast}
    kinds = kinds_on(smear)
    assert kinds.count(blast) / len(kinds) == pytest.approx(smear.blast_share, abs=0.12)


def test_the_slide_decides_its_share_of_blasts() -> None:
    shares = [Smear(seed, "ALL").blast_share for seed in range(40)]
    assert min(shares) >= 0.4
    assert max(shares) <= 0.9
    assert max(shares) - min(shares) > 0.3
    assert Smear(0, "Normal").blast_share == 0


def test_blast_slides_are_denser() -> None:
    per_field = {kind: len(kinds_on(Smear(8, kind))) / 100 for kind in SLIDE_KINDS}
    assert 1 < per_field["Normal"] < 2
    assert 1.5 * per_field["Normal"] < per_field["AML"] < 5
    assert 1.5 * per_field["Normal"] < per_field["ALL"] < 5


def test_defocus_takes_sharpness_away_step_by_step() -> None:
    smear = Smear(9, "Normal")
    steps = [
        sharpness(smear.field(0, 0, 640, 480, Optics(defocus_um=z)).image)
        for z in (0, 0.2, 0.5, 1.0, 2.0)
    ]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] < 0.1 * steps[0]
    below = smear.field(0, 0, 640, 480, Optics(defocus_um=-0.5)).image
    assert sharpness(below) == pytest.approx(steps[2])


def test_exposure_and_stain_change_the_light_as_they_say() -> None:
    smear = Smear(9, "ALL")

    def mean(optics: Optics) -> float:
        return float(smear.field(0, 0, 320, 240, optics).image.mean())

    good = mean(Optics())
    assert mean(Optics(exposure=0.6)) == pytest.approx(0.6 * good, rel=0.02)
    assert mean(Optics(stain_strength=1.4)) < good - 1
    redder = smear.field(0, 0, 320, 240, Optics(stain_hue=0.8)).image.mean(axis=(0, 1))
    bluer = smear.field(0, 0, 320, 240, Optics(stain_hue=-0.8)).image.mean(axis=(0, 1))
    assert redder[0] - redder[2] > bluer[0] - bluer[2] + 1


def test_dust_stays_while_the_stage_moves() -> None:
    dust = Optics(noise=0, dust=6, dust_seed=4)
    clean = Optics(noise=0, dust=0)

    def shadow(x: float) -> np.ndarray:
        smear = Smear(2)
        with_dust = smear.field(x, 0, 640, 480, dust).image.astype(float)
        return with_dust / np.maximum(smear.field(x, 0, 640, 480, clean).image, 1)

    assert shadow(0).min() < 0.98
    np.testing.assert_allclose(shadow(0), shadow(300), atol=0.04)


@pytest.mark.parametrize("kind", SLIDE_KINDS)
def test_a_good_field_passes_the_quality_gate_and_bad_ones_do_not(kind: SlideKind) -> None:
    for seed in range(3):
        smear = Smear(seed, kind)
        assert judge(measure(smear.field(0, 0).image)) is None
    blurred = judge(measure(smear.field(0, 0, optics=Optics(defocus_um=1.5)).image))
    assert blurred is not None
    assert blurred.code == "out-of-focus"
    dark = judge(measure(smear.field(0, 0, optics=Optics(exposure=0.4)).image))
    assert dark is not None
    assert dark.code == "too-dark"


def test_a_slide_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or above, not -1"):
        Smear(-1)
    with pytest.raises(ValueError, match="not 'CML'"):
        Smear(1, "CML")  # type: ignore[arg-type]  # the refusal is what is tested
    with pytest.raises(ValueError, match="at least 1×1 pixels, not 0×4"):
        Smear(1).field(0, 0, 0, 4)


def test_white_cells_have_the_sizes_of_white_cells() -> None:
    for place in PLACES:
        for cell in Smear(31, "AML").field(*place).cells:
            if inside(cell.box, 0, 0, 1280, 960):
                assert 170 < max(cell.box.w, cell.box.h) < 540  # 6.5 to 21 µm


@pytest.mark.parametrize("kind", SLIDE_KINDS)
def test_left_of_the_smear_there_is_bare_glass(kind: SlideKind) -> None:
    smear = Smear(5, kind)
    glass = smear.field(SMEAR_BEGINS_UM - 100, 0, optics=NO_NOISE)
    assert glass.cells == ()
    assert glass.image.std(axis=(0, 1)).max() < 1
    assert not smear.has_white_cell(SMEAR_BEGINS_UM - 100, 0)
    assert any(smear.has_white_cell(SMEAR_BEGINS_UM + 50 * n, 0) for n in range(9))


@pytest.mark.parametrize("kind", SLIDE_KINDS)
def test_the_smears_edge_changes_no_pixel_of_the_smear(kind: SlideKind, monkeypatch) -> None:
    """Trained models and figures stand on these pixels."""
    places = [*PLACES, (-9999.0, 3.0)]
    drawn = [Smear(5, kind).field(*place, 320, 240).image.tobytes() for place in places]
    monkeypatch.setattr(slide, "SMEAR_BEGINS_UM", float("-inf"))
    endless = [Smear(5, kind).field(*place, 320, 240).image.tobytes() for place in places]
    assert drawn == endless
