"""Whether a field fits its byte budget, and at what price."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging import encode as module
from imaging.decode import decode
from imaging.encode import QUALITIES, EncodeError, encode_within
from imaging.types import Image


def _field(grain: int, rows: int = 480, columns: int = 640) -> Image:
    rng = np.random.default_rng(3)
    coarse = rng.integers(60, 220, (rows // 20, columns // 20, 3), dtype=np.uint8)
    size = (columns, rows)
    smooth = np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    noise = rng.integers(0, grain + 1, smooth.shape)
    return np.asarray(np.clip(smooth + noise, 0, 255), np.uint8)


def test_a_field_that_fits_keeps_its_size_and_the_best_quality() -> None:
    encoded = encode_within(_field(0))
    assert (encoded.width, encoded.height, encoded.scale) == (640, 480, 1.0)
    assert encoded.quality == QUALITIES[1]


def test_colours_keep_their_order() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[...] = (200, 100, 30)
    pixels = decode(encode_within(image).data)
    assert np.abs(pixels.astype(int) - image).max() < 8


def test_quality_is_given_up_before_size() -> None:
    best = len(encode_within(_field(30), 10_000_000).data)
    encoded = encode_within(_field(30), int(best * 0.6))
    assert encoded.scale == 1.0
    assert QUALITIES[0] <= encoded.quality < QUALITIES[1]


def test_three_more_steps_of_quality_would_not_have_fitted() -> None:
    budget = int(len(encode_within(_field(30), 10_000_000).data) * 0.6)
    encoded = encode_within(_field(30), budget)
    pixels = np.asarray(cv2.cvtColor(_field(30), cv2.COLOR_RGB2BGR), np.uint8)
    assert len(module._jpeg(pixels, encoded.quality + 3)) > budget


def test_a_field_that_does_not_fit_is_shrunk_and_says_by_how_much() -> None:
    encoded = encode_within(_field(200), 30_000)
    assert len(encoded.data) <= 30_000
    assert encoded.scale < 1
    assert decode(encoded.data).shape == (encoded.height, encoded.width, 3)
    assert encoded.width == round(640 * encoded.scale)
    assert encoded.height == round(480 * encoded.scale)


def test_an_impossible_budget_is_refused_with_what_would_be_needed() -> None:
    with pytest.raises(EncodeError, match=r"needs \d+ bytes .* 700 are allowed"):
        encode_within(_field(200), 700)


def test_at_most_four_encodes_are_spent_on_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, sizes = module._jpeg, []

    def counted(pixels: Image, quality: int) -> bytes:
        sizes.append(pixels.shape)
        return plain(pixels, quality)

    monkeypatch.setattr(module, "_jpeg", counted)
    for budget in (20_000, 40_000, 60_000, 90_000, 150_000):
        sizes.clear()
        encode_within(_field(120), budget)
        assert max(sizes.count(shape) for shape in sizes) <= 4


@settings(max_examples=30, deadline=None)
@given(
    grain=st.integers(0, 250),
    budget=st.integers(12_000, 200_000),
    rows=st.integers(80, 300),
    columns=st.integers(80, 300),
)
def test_whatever_is_encoded_fits_and_can_be_decoded(
    grain: int, budget: int, rows: int, columns: int
) -> None:
    encoded = encode_within(_field(grain, rows, columns), budget)
    assert len(encoded.data) <= budget
    assert QUALITIES[0] <= encoded.quality <= QUALITIES[1]
    assert decode(encoded.data, min_side=1).shape == (encoded.height, encoded.width, 3)
