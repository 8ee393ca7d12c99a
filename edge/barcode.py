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
    import zxingcpp

    gray = np.asarray(cv2.cvtColor(shrunk(image, _WIDTH), cv2.COLOR_RGB2GRAY), np.uint8)
    kinds = zxingcpp.BarcodeFormat
    codes = zxingcpp.read_barcodes(
        gray,
        zxingcpp.BarcodeFormats([kinds.Code128, kinds.DataMatrix, kinds.QRCode]),
        text_mode=zxingcpp.TextMode.Plain,
    )
    read = {code.text.strip() for code in codes if code.valid}
    return sorted(text for text in read if _is_number(text))


def _is_number(text: str) -> bool:
    return 0 < len(text) <= _LONGEST and text.isprintable()
