"""A class-activation map as a picture that lies over the cell's."""

import io
from functools import cache
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Activation: TypeAlias = npt.NDArray[np.float32]
"""float32, h×w×labels: logits of each class, whose mean over the map is the class's own logit."""

_LEAST: Final = 1.0
"""Logits. Where the evidence is nowhere more than this, it is not blown up to look like much."""
_OPACITY: Final = 0.75
"""Of the strongest place: the cell stays visible under it."""


def draw(activation: Activation, label: int, side: int) -> bytes:
    """Draw where a cell's picture speaks for a class rather than for the others.

    A logit says nothing alone: softmax knows only how far it stands above the others. So what is
    drawn is the class's map above the mean of all. Where it is below, nothing is drawn. The colours
    reach from nothing to the strongest place of this cell: they say where, not how much.

    Args:
        activation: of one cell.
        label: index of the class.
        side: of the picture, in pixels.

    Returns:
        A PNG, side×side: a palette with transparency, a fifth of the size of RGBA.
    """
    above = activation[..., label] - activation.mean(axis=-1)
    strength = np.clip(above / max(float(above.max()), _LEAST), 0, 1)
    smooth = cv2.resize(strength, (side, side), interpolation=cv2.INTER_CUBIC)
    picture = Image.fromarray(np.asarray(np.rint(np.clip(smooth, 0, 1) * 255), np.uint8), "P")
    picture.putpalette(_colours())
    file = io.BytesIO()
    picture.save(file, "PNG", transparency=_opacities())
    return file.getvalue()


@cache
def _colours() -> bytes:
    """Viridis, red-green-blue: even steps look even, also to those who see red and green alike."""
    steps = np.arange(256, dtype=np.uint8)[:, np.newaxis]
    return cv2.cvtColor(cv2.applyColorMap(steps, cv2.COLORMAP_VIRIDIS), cv2.COLOR_BGR2RGB).tobytes()


@cache
def _opacities() -> bytes:
    return bytes(np.rint(np.arange(256) * _OPACITY).astype(np.uint8))
