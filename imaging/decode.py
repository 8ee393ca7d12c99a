"""Bytes that came from elsewhere, made into an image or refused with a reason.

The order is the defence: hash, header, bounds, structure, and only then pixels. Nothing is
allocated for an image whose header has not been believed.

EXIF orientation is ignored on purpose: boxes are in pixels as stored, and a microscope has no
"up". A TIFF that is stored turned is refused, because decoders turn it unasked.
"""

import hashlib
from typing import Final

import cv2
import numpy as np

from imaging import decode_jpeg, decode_png, decode_slow
from imaging.decode_error import DecodeError
from imaging.header import Header, read_header
from imaging.types import Image

__all__ = ["DecodeError", "Header", "decode", "read_header"]

MAX_SIDE: Final = 65_535
"""Pixels; no message can name a larger side."""

# OpenCV 4.11 learnt to hand out RGB; older ones hand out BGR.
_RGB_FLAG: Final[int | None] = getattr(cv2, "IMREAD_COLOR_RGB", None)


def decode(
    data: bytes,
    *,
    sha256: str | None = None,
    max_pixels: int = 40_000_000,
    min_side: int = 64,
) -> Image:
    """Decode a JPEG, PNG, TIFF or BMP image.

    Grayscale becomes RGB, a palette is looked up, alpha is laid over white. 16-bit, CMYK and
    other colour models, and files of several pages are refused.

    A JPEG has no checksum: flipped bits inside its scan are noticed by `sha256` only.

    Args:
        data: the file.
        sha256: what the sender says its SHA-256 is, in hex; None where nobody said.
        max_pixels: width × height that is decoded at most.
        min_side: shorter side, in pixels, that is decoded at least.

    Returns:
        uint8, H×W×3, RGB, C-contiguous; as stored, EXIF orientation ignored.

    Raises:
        DecodeError: `reason` is `sha256-mismatch`, `image-unreadable`, `image-format`,
            `image-too-large`, `image-too-small` or `image-truncated`.
    """
    if sha256 is not None:
        _check_hash(data, sha256)
    header = read_header(data)
    _check_bounds(header, max_pixels, min_side)
    image = _pixels(data, header)
    if image.shape != (header.height, header.width, 3):
        raise DecodeError(
            "image-unreadable",
            f"the header says {header.width}×{header.height} pixels, the {header.format} data "
            f"held {image.shape[1]}×{image.shape[0]}: save the image again",
        )
    return image


def _check_hash(data: bytes, sha256: str) -> None:
    found = hashlib.sha256(data).hexdigest()
    if found != sha256.lower():
        raise DecodeError(
            "sha256-mismatch",
            f"the image's SHA-256 is {found}, the sender said {sha256}: it changed on the way, "
            "send it again",
        )


def _check_bounds(header: Header, max_pixels: int, min_side: int) -> None:
    size = f"the image has {header.width}×{header.height} pixels"
    if header.width * header.height > max_pixels:
        raise DecodeError("image-too-large", f"{size}, at most {max_pixels} are decoded: scale it")
    if max(header.width, header.height) > MAX_SIDE:
        raise DecodeError("image-too-large", f"{size}, a side may have {MAX_SIDE}: scale it")
    if min(header.width, header.height) < min_side:
        raise DecodeError(
            "image-too-small",
            f"{size}, each side needs {min_side} or more: send the whole field",
        )


def _pixels(data: bytes, header: Header) -> Image:
    if header.format == "JPEG":
        decode_jpeg.check_structure(data)
        return _by_opencv(data, header)
    if header.format == "PNG":
        decode_png.check_structure(data)
        if header.plain:
            return _by_opencv(data, header)
    return decode_slow.by_pillow(data, header)


def _by_opencv(data: bytes, header: Header) -> Image:
    buffer = np.frombuffer(data, np.uint8)
    flags = cv2.IMREAD_COLOR if _RGB_FLAG is None else _RGB_FLAG
    try:
        image = cv2.imdecode(buffer, flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise _unreadable(header) from error
    if image is None:
        raise _unreadable(header)
    if _RGB_FLAG is None:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return np.asarray(image, np.uint8)


def _unreadable(header: Header) -> DecodeError:
    return DecodeError(
        "image-unreadable",
        f"the {header.format} data is damaged beyond its header: save or send the image again",
    )
