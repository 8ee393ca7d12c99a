"""The rarer kinds of image, decoded by Pillow: slower than OpenCV, but it reports cut files."""

import numpy as np
from PIL import Image as Pillow

from imaging.decode_error import DecodeError
from imaging.header import BROKEN, Header, open_lazily
from imaging.types import Image


def by_pillow(data: bytes, header: Header) -> Image:
    """Decode a TIFF, a BMP, or a PNG with palette or transparency; alpha is laid over white.

    Args:
        data: a file whose header `imaging.header.read_header` accepted.
        header: that header.

    Returns:
        uint8, H×W×3, RGB.

    Raises:
        DecodeError: `image-truncated` or `image-unreadable`.
    """
    source = open_lazily(data, header.format)
    try:
        source.load()
        flat = source.convert("RGB") if header.plain else _over_white(source)
    except BROKEN as error:
        cut = "truncated" in str(error)
        raise DecodeError(
            "image-truncated" if cut else "image-unreadable",
            f"the {header.format} data is damaged ({error}): save or send it again",
        ) from error
    return np.array(flat, np.uint8)


def _over_white(source: Pillow.Image) -> Pillow.Image:
    layer = source.convert("RGBA")
    white = Pillow.new("RGBA", layer.size, "white")
    return Pillow.alpha_composite(white, layer).convert("RGB")
