"""White cells cut out of a field as small JPEGs: for the gallery, and for reports."""

from collections.abc import Sequence
from typing import Final

import cv2

from imaging.box import Box
from imaging.crop import PREPROCESSING_ID, cut_cells
from imaging.types import Image

SIDE: Final = 160
"""Pixels. Printed 20 mm wide that is 200 dots an inch."""

CUT_ID: Final = f"{PREPROCESSING_ID} {SIDE} jpeg/1"
"""Names what `cut_jpegs` makes; what was kept under another id is not used."""

_QUALITY: Final = 90


def cut_jpegs(image: Image, boxes: Sequence[Box]) -> list[bytes]:
    """Cut the squares that the model saw.

    Args:
        image: the field: uint8, H×W×3, RGB.
        boxes: in pixels of `image`.

    Returns:
        A JPEG of 160×160 pixels for each box.

    Raises:
        ValueError: a box lies outside the image.
    """
    return [_jpeg(cell) for cell in cut_cells(image, boxes, SIDE, SIDE)]


def _jpeg(cell: Image) -> bytes:
    turned = cv2.cvtColor(cell, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", turned, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError("a cell could not be encoded")
    return bytes(data)
