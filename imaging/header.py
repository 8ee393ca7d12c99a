"""What a file says of itself, read without decoding a pixel."""

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile

from imaging.decode_error import DecodeError

Format: TypeAlias = Literal["JPEG", "PNG", "TIFF", "BMP"]

# The plugins are opened by name, not by PIL.Image.open: that would try every format Pillow knows,
# and its decompression-bomb check warns through process-wide state. Bounds are checked by
# `imaging.decode`, against its own limit.
_OPENERS: Final[dict[Format, Callable[[io.BytesIO], ImageFile]]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "TIFF": TiffImageFile,
    "BMP": BmpImageFile,
}
_MAGIC: Final[tuple[tuple[bytes, Format], ...]] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"BM", "BMP"),
)

# What Pillow's parsers were seen to raise on damaged headers. Warning: a caller may run with
# warnings as errors, and Pillow warns of damaged metadata.
BROKEN: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    AttributeError,
    struct.error,
    zlib.error,
    Warning,
)

_CONVERTIBLE: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX"})
_PNG_DEPTH: Final = 24  # offset of IHDR's bit depth
_TIFF_BITS: Final = 258
_TIFF_ORIENTATION: Final = 274


@dataclass(frozen=True)
class Header:
    """Format and size of an image, as its first bytes claim.

    Attributes:
        format: one of the four that are decoded.
        width: in pixels, as stored.
        height: in pixels, as stored.
        plain: 8-bit gray or RGB without transparency, so that no conversion is needed.
    """

    format: Format
    width: int
    height: int
    plain: bool = True


def read_header(data: bytes) -> Header:
    """Read an image's header; no pixel is decoded and nothing of its size allocated.

    Args:
        data: the file.

    Raises:
        DecodeError: `image-format` for another format, bit depth, colour model or more than one
            page; `image-unreadable` for a damaged header.
    """
    kind = _format(data)
    image = open_lazily(data, kind)
    try:
        _check_kind(data, kind, image)
    except DecodeError:
        raise
    except BROKEN as error:
        raise _damaged(kind) from error
    plain = image.mode in {"L", "RGB"} and "transparency" not in image.info
    return Header(kind, image.width, image.height, plain)


def open_lazily(data: bytes, kind: Format) -> ImageFile:
    """Open a file with the one Pillow plugin of its format; pixels stay undecoded.

    Raises:
        DecodeError: `image-unreadable`.
    """
    try:
        return _OPENERS[kind](io.BytesIO(data))
    except BROKEN as error:
        raise _damaged(kind) from error


def _format(data: bytes) -> Format:
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    raise DecodeError(
        "image-format",
        f"the {len(data)} bytes are no JPEG, PNG, TIFF or BMP image: save the field as one of them",
    )


def _check_kind(data: bytes, kind: Format, image: ImageFile) -> None:
    if image.mode not in _CONVERTIBLE or _deep(data, kind, image):
        raise DecodeError(
            "image-format",
            f"the {kind} image is of mode {image.mode}: only 8-bit gray, palette and RGB images "
            "(alpha allowed) are read; convert it to 8-bit RGB",
        )
    pages = getattr(image, "n_frames", 1)
    if pages != 1:
        raise DecodeError(
            "image-format", f"the {kind} file holds {pages} pages: send each as its own image"
        )
    if isinstance(image, TiffImageFile) and image.tag_v2.get(_TIFF_ORIENTATION, 1) != 1:
        raise DecodeError(
            "image-format", "the TIFF image is stored turned: save it with orientation 1"
        )


def _deep(data: bytes, kind: Format, image: ImageFile) -> bool:
    """Whether a sample has more than 8 bits, which Pillow's mode does not always show."""
    if kind == "PNG":
        return data[_PNG_DEPTH] > 8
    if isinstance(image, TiffImageFile):
        bits = image.tag_v2.get(_TIFF_BITS, (1,))
        return any(int(bit) > 8 for bit in (bits if isinstance(bits, tuple) else (bits,)))
    return False


def _damaged(kind: Format) -> DecodeError:
    return DecodeError(
        "image-unreadable", f"the {kind} header is damaged: save or send the image again"
    )
