"""Cut a cell as the cloud will, and as the cloud might have: jittered, turned, re-encoded."""

import zlib
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.box import Box
from imaging.crop import cut_cells
from imaging.types import Cells, Image

CONTEXT: Final = 2.5
"""Side of the neighbourhood that is turned and rescaled, in units of the box's longer side."""

SMALLEST: Final = 40.0
"""A cell is not rescaled below this many pixels: no microscope here shows one smaller."""


@dataclass(frozen=True)
class Cutter:
    """Cuts each cell `variants` times; the same cell the same way each time."""

    size: int
    """Side of the model's input, in pixels."""
    variants: int
    seed: int
    whole: bool = False
    """Pictures are resized whole, as in the paper, not cut around what the finder finds."""

    def cut(self, image: Image, box: Box | None, key: str) -> Cells:
        """Cut one cell.

        Args:
            image: uint8, H×W×3, RGB.
            box: of the cell, as the finder gives it; None for the picture as it is.
            key: the cell's name, which with the seed decides the variants.

        Returns:
            uint8, variants×size×size×3. The first is exactly what the cloud would cut, or the
            picture resized and nothing else.
        """
        draw = np.random.default_rng([self.seed, zlib.crc32(key.encode())])
        if box is None:
            return self._resized(image, draw)
        cuts = [cut_cells(image, [box], self.size, self.size)[0]]
        for _ in range(self.variants - 1):
            patch, inner = _neighbourhood(image, box)
            patch, inner = _turned(patch, inner, draw)
            patch, inner = _rescaled(patch, inner, draw)
            patch = reencoded(patch, int(draw.integers(70, 96)))
            cuts.append(cut_cells(patch, [_jittered(inner, draw)], self.size, self.size)[0])
        return np.stack(cuts)

    def _resized(self, image: Image, draw: np.random.Generator) -> Cells:
        """The picture, and it mirrored, turned by a little, moved, rescaled and re-encoded."""
        cuts = [_to(image, self.size, self.size)]
        rows, columns = image.shape[:2]
        for _ in range(self.variants - 1):
            scale = float(draw.uniform(max(min(1.0, SMALLEST / min(rows, columns)), 0.35), 1.0))
            small = _to(image, max(2, round(rows * scale)), max(2, round(columns * scale)))
            small = reencoded(_shaken(small, draw), int(draw.integers(70, 96)))
            cuts.append(_to(small, self.size, self.size))
        return np.stack(cuts)


def reencoded(image: Image, quality: int) -> Image:
    """The image after JPEG at a quality of 1 to 100, as the edge would have sent it."""
    done, coded = cv2.imencode(
        ".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be encoded as JPEG")
    return opened(coded)


def opened(raw: npt.NDArray[np.uint8]) -> Image:
    """Pixels of a file the engineer trusts: the cloud's own decoding is for what strangers send.

    Raises:
        ValueError: OpenCV cannot decode it.
    """
    image = cv2.imdecode(raw, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError("not an image that OpenCV can decode")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def _to(image: Image, rows: int, columns: int) -> Image:
    small = cv2.resize(image, (columns, rows), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _shaken(image: Image, draw: np.random.Generator) -> Image:
    """Perhaps mirrored, turned by up to 15°, resized by up to 10 % and moved by up to 6 %."""
    rows, columns = image.shape[:2]
    middle = ((columns - 1) / 2, (rows - 1) / 2)
    angle, scale = float(draw.uniform(-15, 15)), float(draw.uniform(0.9, 1.1))
    turn = np.asarray(cv2.getRotationMatrix2D(middle, angle, scale), np.float64)
    turn[:, 2] += draw.uniform(-0.06, 0.06, 2) * (columns, rows)
    mirrored = image[:, ::-1] if draw.random() < 0.5 else image
    moved = cv2.warpAffine(
        np.ascontiguousarray(mirrored), turn, (columns, rows), borderMode=cv2.BORDER_REFLECT_101
    )
    return moved.astype(np.uint8, copy=False)


def _neighbourhood(image: Image, box: Box) -> tuple[Image, Box]:
    side = round(CONTEXT * max(box.w, box.h))
    left = round(box.x + box.w / 2 - side / 2)
    top = round(box.y + box.h / 2 - side / 2)
    rows, columns = image.shape[:2]
    padded = cv2.copyMakeBorder(
        image[max(0, top) : top + side, max(0, left) : left + side],
        max(0, -top),
        max(0, top + side - rows),
        max(0, -left),
        max(0, left + side - columns),
        cv2.BORDER_REFLECT_101,
    )
    return padded.astype(np.uint8), Box(box.x - left, box.y - top, box.w, box.h)


def _turned(patch: Image, box: Box, draw: np.random.Generator) -> tuple[Image, Box]:
    rows, columns = patch.shape[:2]
    middle = ((columns - 1) / 2, (rows - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, float(draw.uniform(0, 360)), 1.0)
    turned = cv2.warpAffine(patch, turn, (columns, rows), borderMode=cv2.BORDER_REFLECT_101)
    return turned.astype(np.uint8), box


def _rescaled(patch: Image, box: Box, draw: np.random.Generator) -> tuple[Image, Box]:
    least = min(1.0, SMALLEST / max(box.w, box.h))
    scale = float(draw.uniform(max(least, 0.35), 1.0))
    side = max(2, round(patch.shape[0] * scale))
    small = cv2.resize(patch, (side, side), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8), Box(
        round(box.x * scale),
        round(box.y * scale),
        max(1, round(box.w * scale)),
        max(1, round(box.h * scale)),
    )


def _jittered(box: Box, draw: np.random.Generator) -> Box:
    """Moved by up to 6 % and resized by up to 10 %: as finders err."""
    side = max(box.w, box.h)
    shift_x, shift_y = draw.uniform(-0.06, 0.06, 2) * side
    grow = float(draw.uniform(0.9, 1.1))
    width, height = max(1, round(box.w * grow)), max(1, round(box.h * grow))
    return Box(
        round(box.x + shift_x + (box.w - width) / 2),
        round(box.y + shift_y + (box.h - height) / 2),
        width,
        height,
    )
