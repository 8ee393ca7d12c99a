"""Outlines of nuclei: round, kidney, and lobes on a thread."""

from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.simulator.planes import Plane, blob, chain
from imaging.simulator.textures import cut

Points = npt.NDArray[np.float64]

_LOBES = [0.1, 0.2, 0.4, 0.22, 0.08]
"""Probabilities of 1 (a band) to 5 lobes in a neutrophil."""


def nucleus(
    rng: np.random.Generator,
    shape: Literal["round", "kidney", "lobed", "bilobed"],
    side: int,
    radius: float,
    share: float,
) -> Plane:
    """Signed distance of a nucleus inside a cell of the mean radius `radius`.

    Args:
        rng: decides everything that is not given.
        shape: of the nucleus.
        side: of the sprite, in pixels.
        radius: of the cell, in pixels.
        share: nuclear area per cell area, about.

    Returns:
        float32, side×side.
    """
    if shape == "round":
        distance = _round(rng, side, radius, share)
    else:
        points, radii = _spine(rng, shape)
        size = radius * np.sqrt(share / _share(points, radii))
        distance = chain(side, points * radius, radii * size)
        distance += np.float32(0.025 * radius) * cut(rng, 0.6 * radius, side, 3.5)
    return distance


def _round(rng: np.random.Generator, side: int, radius: float, share: float) -> Plane:
    inner = radius * float(np.sqrt(share))
    distance = blob(rng, side, inner, 0.05, abs(rng.normal(0, 0.05)))
    slack = (radius - inner) * rng.uniform(0.2, 0.8)
    turn = rng.uniform(0, 2 * np.pi)
    shift = np.array([slack * np.cos(turn), slack * np.sin(turn)]).round().astype(int)
    distance = np.roll(distance, (int(shift[1]), int(shift[0])), axis=(0, 1))
    if rng.uniform() < 0.15:
        distance = _cleft(rng, distance, inner, side)
    return distance


def _cleft(rng: np.random.Generator, distance: Plane, radius: float, side: int) -> Plane:
    """An indentation from one side, as of a coffee bean."""
    turn = rng.uniform(0, 2 * np.pi)
    away = np.linspace(rng.uniform(0.75, 0.95), 1.4, 6)[:, None] * radius
    points = away * np.array([[np.cos(turn), np.sin(turn)]])
    notch = chain(side, points, np.linspace(0.08, 0.34, 6) * radius)
    # A smooth maximum: the notch has round shoulders.
    return np.asarray(3 * np.logaddexp(distance / 3, -notch / 3), np.float32)


def _spine(rng: np.random.Generator, shape: str) -> tuple[Points, Points]:
    """Discs along a bent line, in units of the cell's radius."""
    if shape == "kidney":
        return _kidney(rng)
    lobes = 2 if shape == "bilobed" else int(rng.choice([1, 2, 3, 4, 5], p=_LOBES))
    if lobes == 1:
        return _band(rng)
    # Lobes sit around a point off the centre; a thin thread of discs joins each to the next.
    bend = min(1.75, 0.5 * lobes + rng.uniform(-0.1, 0.2)) * np.pi * (lobes - 1) / lobes
    turn = rng.uniform(0, 2 * np.pi) + np.linspace(-bend / 2, bend / 2, lobes)
    turn += rng.normal(0, 0.12, lobes)
    out = rng.uniform(0.4, 0.56, lobes)
    centres = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    sizes = rng.uniform(0.8, 1.2, lobes) * (0.62 / np.sqrt(lobes))
    points, radii = [], []
    for centre, size, along in zip(centres, sizes, turn, strict=True):
        stretch = rng.uniform(0.1, 0.5) * size * np.array([-np.sin(along), np.cos(along)])
        points += [centre - stretch, centre, centre + stretch]
        radii += [0.85 * size, 0.92 * size, 0.8 * size]
    for here, there in pairwise(centres):
        for step in np.linspace(0.15, 0.85, 8):
            points.append(0.94 * (here + step * (there - here)))
            radii.append(0.05)
    return np.array(points), np.array(radii)


def _band(rng: np.random.Generator) -> tuple[Points, Points]:
    at = np.linspace(0, 1, 20)
    turn = rng.uniform(0, 2 * np.pi) + rng.uniform(0.8, 1.4) * np.pi * (at - 0.5)
    out = rng.uniform(0.42, 0.52)
    points = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    return points, 0.24 + 0.035 * np.sin(rng.uniform(5, 9) * at + rng.uniform(0, 6))


def _kidney(rng: np.random.Generator) -> tuple[Points, Points]:
    at = np.linspace(0, 1, 16)
    bend = rng.uniform(0.6, 1.35) * np.pi
    out = rng.uniform(0.34, 0.46)
    turn = rng.uniform(0, 2 * np.pi) + bend * (at - 0.5)
    points = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    away = rng.uniform(0.3, 0.7) * points.mean(axis=0)
    ends = rng.uniform(-0.05, 0.05) * (at - 0.5)
    return points - away, rng.uniform(0.34, 0.4) + 0.05 * np.cos(4 * np.pi * at) + ends


def _share(points: Points, radii: Points) -> float:
    """Area of the union of the discs, as a share of the unit circle's."""
    side = 48
    inside = chain(side, points * side / 2, radii * side / 2) < 0
    return float(np.count_nonzero(inside)) / (np.pi * side * side / 4)
