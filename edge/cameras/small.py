"""Pictures for the eye: as wide as a page shows them."""

from typing import Final

import cv2
import numpy as np

from imaging.types import Image

PREVIEW_WIDTH: Final = 640


def shrunk(image: Image, width: int = PREVIEW_WIDTH) -> Image:
    """An image of at most `width` pixels across, its sides in proportion.

    Args:
        image: uint8, H×W or H×W×3, channels in any order.
        width: in pixels.

    Returns:
        uint8, h×w or h×w×3; the image itself where it is no wider.
    """
    rows, columns = image.shape[:2]
    if columns <= width:
        return image
    size = (width, max(1, round(rows * width / columns)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
