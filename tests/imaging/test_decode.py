"""What `imaging.decode` lets in, and what it refuses with which reason."""

import hashlib
import io
import struct
import time
import tracemalloc
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from imaging import decode as module
from imaging import decode_jpeg
from imaging.decode import DecodeError, decode, read_header
from imaging.types import Image


def _picture(rows: int = 120, columns: int = 160) -> Image:
    rng = np.random.default_rng(7)
    coarse = rng.integers(40, 220, (rows // 10, columns // 10, 3), dtype=np.uint8)
    size = (columns, rows)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _file(kind: str, mode: str = "RGB", **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(_picture()).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def _reason(data: bytes, max_pixels: int = 40_000_000, min_side: int = 64) -> str:
    with pytest.raises(DecodeError) as caught:
        decode(data, max_pixels=max_pixels, min_side=min_side)
    return caught.value.reason


JPEG = _file("JPEG", quality=90)
PNG = _file("PNG")


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def _png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _png_chunk(b"IHDR", header)
        + _png_chunk(b"IDAT", zlib.compress(bytes(1000)))
        + _png_chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_lossless_formats_give_back_every_pixel_in_rgb_order(kind: str) -> None:
    image = decode(_file(kind))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, _picture())


def test_a_jpeg_is_decoded_in_rgb_order() -> None:
    image = decode(JPEG)
    assert image.shape == (120, 160, 3)
    assert np.abs(image.astype(int) - _picture()).mean() < 3


def test_an_opencv_that_knows_only_bgr_gives_the_same_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = decode(JPEG)
    monkeypatch.setattr(module, "_RGB_FLAG", None)
    np.testing.assert_array_equal(decode(JPEG), now)


def test_the_right_hash_in_any_case_lets_the_image_in() -> None:
    assert decode(JPEG, sha256=hashlib.sha256(JPEG).hexdigest().upper()).any()


def test_a_wrong_hash_is_noticed_before_anything_is_read() -> None:
    with pytest.raises(DecodeError, match="sender said") as caught:
        decode(b"not an image", sha256="0" * 64)
    assert caught.value.reason == "sha256-mismatch"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP"])
def test_a_header_is_read_without_the_pixels(kind: str) -> None:
    header = read_header(_file(kind))
    assert (header.format, header.width, header.height) == (kind, 160, 120)


@pytest.mark.parametrize("part", [0.3, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_truncated_jpeg_is_refused_at_every_length(part: float, progressive: bool) -> None:
    data = _file("JPEG", quality=90, progressive=progressive)
    assert _reason(data[: int(len(data) * part)]) == "image-truncated"


def test_a_jpeg_that_ends_inside_its_header_is_refused() -> None:
    assert _reason(JPEG[:100]) in {"image-truncated", "image-unreadable"}


def test_a_jpeg_without_its_last_two_bytes_is_refused() -> None:
    assert _reason(JPEG[:-2]) == "image-truncated"


def test_a_jpeg_whose_end_marker_comes_too_early_is_refused() -> None:
    middle = len(JPEG) // 2
    assert _reason(JPEG[:middle] + b"\xff\xd9" + JPEG[middle:]) == "image-unreadable"


def test_a_jpeg_with_another_marker_inside_its_scan_is_refused() -> None:
    middle = len(JPEG) // 2
    assert _reason(JPEG[:middle] + b"\xff\xc4\x00\x03" + JPEG[middle + 4 :]) in {
        "image-unreadable",
        "image-truncated",
    }


def test_padding_and_a_preview_after_the_end_of_a_jpeg_are_allowed() -> None:
    plain = decode(JPEG)
    np.testing.assert_array_equal(decode(JPEG + bytes(512)), plain)
    np.testing.assert_array_equal(decode(JPEG + _file("JPEG", quality=40)), plain)


def test_a_jpeg_of_too_many_scans_is_refused() -> None:
    start = JPEG.index(b"\xff\xda")
    scans = JPEG[start:-2] * 101
    assert _reason(JPEG[:start] + scans + b"\xff\xd9") == "image-unreadable"


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_other_truncated_files_are_refused(kind: str, part: float) -> None:
    data = _file(kind)
    refused = {"image-truncated", "image-unreadable"}
    assert _reason(data[: int(len(data) * part)]) in refused


def test_a_flipped_bit_in_a_png_is_refused() -> None:
    middle = len(PNG) // 2
    broken = PNG[:middle] + bytes([PNG[middle] ^ 1]) + PNG[middle + 1 :]
    assert _reason(broken) == "image-unreadable"


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (40_000_001, 1)])
def test_a_huge_png_is_refused_at_once_and_without_memory(size: tuple[int, int]) -> None:
    data = _png_that_claims(*size)
    tracemalloc.start()
    before = time.perf_counter()
    assert _reason(data) == "image-too-large"
    seconds = time.perf_counter() - before
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert seconds < 0.5


def test_a_side_that_no_message_can_name_is_refused() -> None:
    assert _reason(_png_that_claims(70_000, 100)) == "image-too-large"


def test_a_site_may_allow_fewer_pixels() -> None:
    assert _reason(JPEG, max_pixels=160 * 120 - 1) == "image-too-large"
    assert decode(JPEG, max_pixels=160 * 120).shape == (120, 160, 3)


def test_an_image_of_one_pixel_is_refused() -> None:
    assert _reason(_png_that_claims(1, 1)) == "image-too-small"
    assert _reason(JPEG, min_side=121) == "image-too-small"


def test_a_png_that_holds_less_than_its_header_says_is_refused() -> None:
    assert _reason(_png_that_claims(640, 480)) in {"image-unreadable", "image-truncated"}


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "CMYK"), ("TIFF", "CMYK"), ("TIFF", "LAB"), ("GIF", "P")]
)
def test_colour_models_and_formats_that_no_microscope_needs_are_refused(
    kind: str, mode: str
) -> None:
    data = _file("GIF") if kind == "GIF" else _file(kind, mode)
    assert _reason(data) == "image-format"


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_refused(suffix: str, channels: int) -> None:
    pixels = _picture()[..., :channels].astype(np.uint16) * 256
    assert _reason(cv2.imencode(suffix, pixels)[1].tobytes()) == "image-format"


def test_a_tiff_of_two_pages_is_refused() -> None:
    stream = io.BytesIO()
    page = Pillow.fromarray(_picture())
    page.save(stream, "TIFF", save_all=True, append_images=[page])
    assert _reason(stream.getvalue()) == "image-format"


def test_a_tiff_that_is_stored_turned_is_refused() -> None:
    assert _reason(_file("TIFF", tiffinfo={274: 6})) == "image-format"


def test_exif_orientation_of_a_jpeg_is_ignored() -> None:
    exif = Pillow.Exif()
    exif[274] = 6
    np.testing.assert_array_equal(decode(_file("JPEG", quality=90, exif=exif)), decode(JPEG))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP"])
def test_gray_becomes_rgb_of_three_equal_channels(kind: str) -> None:
    image = decode(_file(kind, "L"))
    np.testing.assert_array_equal(image[..., 0], image[..., 1])
    np.testing.assert_array_equal(image[..., 0], image[..., 2])


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP"])
def test_a_palette_is_looked_up(kind: str) -> None:
    expected = np.asarray(Pillow.fromarray(_picture()).convert("P").convert("RGB"))
    np.testing.assert_array_equal(decode(_file(kind, "P")), expected)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_what_is_transparent_becomes_white(kind: str) -> None:
    layer = np.dstack([_picture(), np.full((120, 160), 255, np.uint8)])
    layer[:50, :, 3] = 0
    stream = io.BytesIO()
    Pillow.fromarray(layer).save(stream, kind)
    image = decode(stream.getvalue())
    assert (image[:50] == 255).all()
    np.testing.assert_array_equal(image[50:], _picture()[50:])


@pytest.mark.parametrize("data", [b"", b"\xff", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM"])
def test_hardly_any_bytes_are_refused_with_a_reason(data: bytes) -> None:
    assert _reason(data) in {"image-format", "image-unreadable"}


@settings(max_examples=300, deadline=None)
@given(
    kind=st.sampled_from(["JPEG", "PNG", "TIFF", "BMP"]),
    reach=st.sampled_from([100, 600, 1_000_000]),
    damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_files_are_decoded_or_refused_but_never_crash(
    kind: str, reach: int, damage: list[tuple[float, int]]
) -> None:
    data = bytearray(_file(kind))
    for place, value in damage:
        data[int(place * (min(len(data), reach) - 1))] = value
    refused: DecodeError | None = None
    image = np.empty((1, 1, 3), np.uint8)
    try:
        image = decode(bytes(data))
    except DecodeError as error:
        refused = error
    assert refused is None or (refused.reason.startswith("image-") and len(str(refused)) > 20)
    assert image.ndim == 3
    assert image.dtype == np.uint8


def test_the_checks_add_little_to_the_bare_decoding() -> None:
    field = np.asarray(cv2.resize(_picture(480, 640), (1280, 960)), np.uint8)
    noise = np.random.default_rng(1).integers(0, 20, field.shape, dtype=np.uint8)
    pixels = field + noise
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()
    decode_jpeg.check_structure(data)
    spent = []
    for _ in range(20):
        before = time.thread_time()
        read_header(data)
        decode_jpeg.check_structure(data)
        spent.append(time.thread_time() - before)
    per_100_kb = sorted(spent)[10] * 100_000 / len(data)
    assert per_100_kb < 0.4e-3
