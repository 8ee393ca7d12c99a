"""Outlines of nuclei: round, kidney, and lobes on a thread."""

from typing import Literal

import numpy as np
import numpy.typing as npt

from imaging.simulator.planes import Plane, blob, chain
from imaging.simulator.textures import cut

Points = npt.NDArray[np.float64]


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
        share: nuclear area per cell area; exact to a few per cent.

    Returns:
        float32, side×side.
    """
    if shape == "round":
        distance = _round(rng, side, radius, share)
    else:
        points, radii = _spine(rng, shape)
        distance = chain(side, points * radius, radii * radius)
        distance += np.float32(0.03 * radius) * cut(rng, max(8.0, radius / 3), side, side)
    return distance + _offset_to_area(distance, share * np.pi * radius * radius)


def _round(rng: np.random.Generator, side: int, radius: float, share: float) -> Plane:
    inner = radius * float(np.sqrt(share))
    distance = blob(rng, side, inner, 0.035, abs(rng.normal(0, 0.035)))
    slack = (radius - inner) * rng.uniform(0.2, 0.8)
    turn = rng.uniform(0, 2 * np.pi)
    shift = np.array([slack * np.cos(turn), slack * np.sin(turn)]).round().astype(int)
    distance = np.roll(distance, (int(shift[1]), int(shift[0])), axis=(0, 1))
    if rng.uniform() < 0.25:
        distance = _cleft(rng, distance, inner, side)
    return distance


def _cleft(rng: np.random.Generator, distance: Plane, radius: float, side: int) -> Plane:
    """An indentation from one side, as of a coffee bean."""
    turn = rng.uniform(0, 2 * np.pi)
    away = np.linspace(rng.uniform(0.75, 0.9), 1.4, 6)[:, None] * radius
    points = away * np.array([[np.cos(turn), np.sin(turn)]])
    notch = chain(side, points, np.linspace(0.03, 0.22, 6) * radius)
    return np.maximum(distance, -notch)


def _spine(rng: np.random.Generator, shape: str) -> tuple[Points, Points]:
    """Discs along a bent line, in units of the cell's radius."""
    if shape == "kidney":
        return _kidney(rng)
    lobes = (
        2 if shape == "bilobed" else int(rng.choice([1, 2, 3, 4, 5], p=[0.1, 0.2, 0.4, 0.22, 0.08]))
    )
    length = 24
    at = np.linspace(0, 1, length)
    bend = rng.uniform(0.7, 1.35) * np.pi if lobes > 2 else rng.uniform(0.5, 1.1) * np.pi
    turn = rng.uniform(0, 2 * np.pi) + bend * (at - 0.5)
    out = rng.uniform(0.42, 0.52) + 0.06 * np.sin(2 * np.pi * at + rng.uniform(0, 6.28))
    points = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    if lobes == 1:
        return points, np.full(length, 0.24) + 0.03 * np.sin(7 * at)
    swell = np.abs(np.cos(np.pi * lobes * at / 1.0 + np.pi / 2)) ** 0.7
    sizes = np.interp(at, np.linspace(0, 1, lobes), rng.uniform(0.24, 0.33, lobes))
    return points + rng.normal(0, 0.01, points.shape), np.maximum(sizes * swell, 0.05)


def _kidney(rng: np.random.Generator) -> tuple[Points, Points]:
    at = np.linspace(0, 1, 16)
    bend = rng.uniform(0.5, 1.3) * np.pi
    out = rng.uniform(0.3, 0.42)
    turn = rng.uniform(0, 2 * np.pi) + bend * (at - 0.5)
    points = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=1)
    away = 0.12 * points.mean(axis=0)
    return points - away, rng.uniform(0.34, 0.42) + 0.05 * np.cos(2 * np.pi * at)


def _offset_to_area(distance: Plane, area: float) -> np.float32:
    """What to add to `distance` so that its inside covers `area` pixels."""
    wanted = min(int(area), distance.size - 1)
    return np.float32(-np.partition(distance.ravel(), wanted)[wanted])
