"""What `imaging.crop` cuts, and how it treats the edge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.box import Box
from imaging.crop import MARGIN, cut_cells
from imaging.types import Image


def _image(rows: int = 60, columns: int = 80) -> Image:
    return np.random.default_rng(5).integers(0, 256, (rows, columns, 3), dtype=np.uint8)


def test_no_boxes_give_an_empty_batch_of_the_right_shape() -> None:
    cells = cut_cells(_image(), [], 28, 30)
    assert cells.shape == (0, 28, 30, 3)
    assert cells.dtype == np.uint8


def test_a_square_of_the_models_size_is_cut_without_changing_a_pixel() -> None:
    image = _image()
    cells = cut_cells(image, [Box(24, 24, 16, 16)], 20, 20)
    assert round(MARGIN * 16) == 20
    np.testing.assert_array_equal(cells[0], image[22:42, 22:42])


def test_the_longer_side_decides_so_that_nothing_is_stretched() -> None:
    image = _image()
    wide = cut_cells(image, [Box(24, 28, 16, 8)], 20, 20)
    np.testing.assert_array_equal(wide[0], image[22:42, 22:42])


def test_past_the_edge_the_image_is_mirrored() -> None:
    image = _image()
    cell = cut_cells(image, [Box(0, 0, 16, 16)], 20, 20)[0]
    np.testing.assert_array_equal(cell[2:, 2:], image[:18, :18])
    np.testing.assert_array_equal(cell[2:, 1], image[:18, 1])
    np.testing.assert_array_equal(cell[2:, 0], image[:18, 2])
    np.testing.assert_array_equal(cell[0, 2:], image[2, :18])


def test_past_the_far_edge_the_image_is_mirrored_too() -> None:
    image = _image()
    cell = cut_cells(image, [Box(64, 44, 16, 16)], 20, 20)[0]
    np.testing.assert_array_equal(cell[:18, :18], image[42:, 62:])
    np.testing.assert_array_equal(cell[:18, 18], image[42:, 78])
    np.testing.assert_array_equal(cell[19, :18], image[57, 62:])


def test_a_bright_image_gets_no_dark_border() -> None:
    bright = np.full((40, 40, 3), 230, np.uint8)
    assert (cut_cells(bright, [Box(-10, -10, 60, 60)], 28, 28) == 230).all()


@pytest.mark.parametrize(
    "box",
    [
        Box(80, 0, 5, 5),
        Box(0, 60, 5, 5),
        Box(-5, 0, 5, 5),
        Box(0, -5, 5, 5),
        Box(10, 10, 0, 5),
        Box(10, 10, 5, -1),
    ],
)
def test_a_box_outside_the_image_is_refused_by_name(box: Box) -> None:
    with pytest.raises(ValueError, match="outside the image of 80×60"):
        cut_cells(_image(), [Box(1, 1, 5, 5), box], 28, 28)


@given(
    rows=st.integers(1, 50),
    columns=st.integers(1, 50),
    x=st.integers(-60, 60),
    y=st.integers(-60, 60),
    w=st.integers(1, 120),
    h=st.integers(1, 120),
)
def test_any_box_that_touches_the_image_gives_a_cell_of_its_colours(
    rows: int, columns: int, x: int, y: int, w: int, h: int
) -> None:
    image = _image(rows, columns)
    inside = x < columns and y < rows and x + w > 0 and y + h > 0
    if not inside:
        with pytest.raises(ValueError, match="outside"):
            cut_cells(image, [Box(x, y, w, h)], 12, 12)
        return
    cells = cut_cells(image, [Box(x, y, w, h)], 12, 12)
    assert cells.shape == (1, 12, 12, 3)
    assert cells.min() >= image.min()
    assert cells.max() <= image.max()
