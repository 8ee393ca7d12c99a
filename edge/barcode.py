"""The slide's number from the barcode in a picture. It is a patient's: told to the caller only."""

from typing import Final

import cv2
import numpy as np

from edge.cameras.small import shrunk
from imaging.types import Image

_WIDTH: Final = 1280
"""Pixels across that are looked at: what reading takes grows with them, whatever is in view."""
_LONGEST: Final = 64
"""Characters; a slide's number is short, a longer text is some other label."""


def read(image: Image) -> str | None:
    """Read the one slide number in view: Code 128, Data Matrix or QR, turned in any way.

    Nothing of it is logged or kept. With cells in view it takes about 5 ms of a desktop's core for
    a preview of 640×480, 70 ms at worst (docs/benchmarks.md), and a Pi 4 some five times as long:
    twice a second is enough for whoever holds a slide under the lens.

    Args:
        image: uint8, H×W×3, RGB.

    Returns:
        The text without blanks around it; None where there is no code, or codes of more than one
        text: which of them is the slide's would be a guess.
    """
    found = texts(image)
    return found[0] if len(found) == 1 else None


def texts(image: Image) -> list[str]:
    """All different slide numbers in view, sorted: two of them are a mistake to be told.

    Codes with characters that cannot be printed, or more than 64, are no slide numbers.

    Args:
        image: uint8, H×W×3, RGB.
    """
    return sorted({text for text in _contents(image) if _is_number(text)})


def holds_code(image: Image) -> bool:
    """Whether any code is in view, also one that is no slide number.

    At most 1280 pixels across are looked at, which bounds what it takes: 38 ms of a desktop's core
    for a picture of 2592×1944, 0.12 s of noise (docs/benchmarks.md). A code that is too small to be
    read then is passed over.

    Args:
        image: uint8, H×W×3, RGB.
    """
    return bool(_contents(image))


def _contents(image: Image) -> list[str]:
    """What each code says, without blanks around it."""
    import zxingcpp

    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    kinds = zxingcpp.BarcodeFormat
    codes = zxingcpp.read_barcodes(
        shrunk(gray, _WIDTH),
        zxingcpp.BarcodeFormats([kinds.Code128, kinds.DataMatrix, kinds.QRCode]),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code.text.strip() for code in codes if code.valid]


def _is_number(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable()
