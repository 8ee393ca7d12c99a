"""Which cells are nearly the same picture: cut twice, saved twice, or given to two names."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Image
from model.data.cells import CellSet

SIDE: Final = 32
"""Of the picture whose cosine transform is taken, in pixels."""

LOW: Final = 8
"""Frequencies kept along each axis: LOW² bits."""

BITS: Final = 8
"""How many bits of the hash may differ."""

THUMB: Final = 16
"""Side of the coloured thumbnail that confirms what the hash suspects, in pixels."""

CORRELATION: Final = 0.98
"""Of two thumbnails. On the development images six pairs of the same cell reach 0.989 or more, and
of eight million pairs of others with hashes as near none passes 0.975."""

BLOCK: Final = 2048


@dataclass(frozen=True)
class Looks:
    """How N pictures look."""

    bits: npt.NDArray[np.bool_]
    """N×LOW²."""
    thumbs: npt.NDArray[np.uint8]
    """N×THUMB×THUMB×3."""


def near_duplicates(cells: CellSet) -> npt.NDArray[np.int64]:
    """Pairs of rows that show nearly the same, M×2, the lower row first; turned ones are missed."""
    bits = np.empty((len(cells), LOW * LOW), np.bool_)
    thumbs = np.empty((len(cells), THUMB, THUMB, 3), np.uint8)
    for rows, pixels in cells.batches():
        for row, image in zip(rows.tolist(), pixels, strict=True):
            bits[row], thumbs[row] = perceptual_hash(image), thumbnail(image)
    return pairs(Looks(bits, thumbs))


def pairs(looks: Looks) -> npt.NDArray[np.int64]:
    """Pairs among N pictures that look nearly the same, M×2.

    Time grows with N²: 2.6 s CPU for 20,000 (AMD EPYC).
    """
    signs = looks.bits.astype(np.float32) * 2 - 1
    least = LOW * LOW - 2 * BITS
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(signs), BLOCK):
        agreement = signs[start : start + BLOCK] @ signs[start:].T
        near = np.argwhere(agreement >= least)
        near = near[near[:, 0] < near[:, 1]] + start
        found.append(near[_correlated(looks.thumbs, near)])
    return np.concatenate(found)


def perceptual_hash(image: Image) -> npt.NDArray[np.bool_]:
    """Signs of the low frequencies against their median (Zauner 2010), LOW² of them."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:LOW, :LOW].ravel()
    bits: npt.NDArray[np.bool_] = low > np.median(low[1:])
    return bits


def thumbnail(image: Image) -> Image:
    """The picture in THUMB×THUMB pixels, its shape not kept."""
    small = cv2.resize(image, (THUMB, THUMB), interpolation=cv2.INTER_AREA)
    return small.astype(np.uint8, copy=False)


def _correlated(
    thumbs: npt.NDArray[np.uint8], near: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether the thumbnails of each pair of rows correlate, bool M."""
    kept = np.empty(len(near), np.bool_)
    for start in range(0, len(near), BLOCK):
        one, other = (_normed(thumbs[rows]) for rows in near[start : start + BLOCK].T)
        kept[start : start + BLOCK] = (one * other).sum(axis=1) >= CORRELATION
    return kept


def _normed(thumbs: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    flat = thumbs.reshape(len(thumbs), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    length = np.linalg.norm(flat, axis=1, keepdims=True)
    normed: npt.NDArray[np.float32] = flat / np.maximum(length, 1e-6)
    return normed
