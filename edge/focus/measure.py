"""How sharp a picture is, cheaply: for choosing among pictures of ONE field.

Whether a field is sharp enough to be read is another question, which `imaging.quality` answers.
"""

from typing import Final

import cv2

from imaging.types import Image

_SAMPLES: Final = 300_000
"""Pixels that are read, about, in whole rows spread over the field: cells lie everywhere, and a
row that is not read costs nothing."""

_LAG_SHARE: Final = 250
"""The lag is a 250th of the width, and 2 pixels at least. Neighbouring pixels of a microscope's
camera lie closer than its lens resolves: they differ by little but noise."""


def sharpness(image: Image) -> float:
    """Brenner's gradient on every so many-th row of green, over the squared mean of green.

    Brenner et al., J Histochem Cytochem 1976; 24: 100–111: the mean of (I(x + lag) − I(x))². The
    squared mean under it keeps a lamp that flickers from choosing the picture. Blur takes from
    every spatial frequency, so for one field the sharpest picture has the largest value; fields
    cannot be compared with one another.

    Args:
        image: uint8, H×W×3, RGB, W ≥ 3; as the camera gave it, not shrunk.

    Returns:
        Dimensionless, 0 upwards; 0 for an evenly bright picture.

    Raises:
        ValueError: the picture is narrower than 3 pixels.
    """
    height, width = image.shape[:2]
    lag = max(2, round(width / _LAG_SHARE))
    if width <= lag:
        raise ValueError(f"a picture {width} pixels wide has no sharpness: take 3 or more")
    step = max(1, round(height * width / _SAMPLES))
    green = cv2.extractChannel(image[min(step, height) // 2 :: step], 1)
    mean = cv2.mean(green)[0]
    if not mean:
        return 0.0  # all black: nothing to see, and nothing to divide by
    energy = cv2.norm(green[:, lag:], green[:, :-lag], cv2.NORM_L2SQR)
    return float(energy / (green.shape[0] * (width - lag)) / mean**2)
