"""White cells: outline, cytoplasm, nucleus and what lies in them."""

from dataclasses import dataclass

import cv2
import numpy as np

from imaging.box import Box
from imaging.simulator.kinds import Chromatin, Cytoplasm, Granules, Kind
from imaging.simulator.nuclei import nucleus
from imaging.simulator.planes import PIXELS_PER_UM, Plane, Stack, Substance, blob, cover, grid
from imaging.simulator.textures import cut


@dataclass(frozen=True)
class WhiteCell:
    """One drawn white cell, centred in its square sprite."""

    stack: Stack
    """float32, 4×S×S: densities, already times `opacity`."""
    opacity: Plane
    """float32, S×S: where the cell hides what lies beneath."""
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]]
    """S×S: the whole cell, cytoplasm included."""
    box: Box
    """Tight around `mask`, in pixels of the sprite."""
    area: int
    """Pixels of `mask`."""
    nuclear_share: float
    """Nuclear area per cell area."""


def white_cell(kind: Kind, diameter_um: float, seed: tuple[int, ...]) -> WhiteCell:
    """Draw one white cell.

    Args:
        kind: what it is.
        diameter_um: mean diameter of the whole cell.
        seed: numbers of 0 and above; the same ones draw the same cell.
    """
    rng = np.random.default_rng(seed)
    radius = diameter_um / 2 * PIXELS_PER_UM
    side = 2 * round(radius * 1.3) + 8
    roughness = kind.roughness * rng.uniform(0.5, 1.6)
    outline = blob(rng, side, radius, roughness, abs(rng.normal(0, 0.05)))
    outline += np.float32(rng.uniform(0.2, 1.3)) * cut(rng, 30.0, side, 4.0)
    core = nucleus(rng, kind.nucleus, side, radius, rng.uniform(*kind.nuclear_share))
    core = np.maximum(core, outline + np.float32(0.035 * radius))
    stack = np.zeros((Substance.COUNT, side, side), np.float32)
    _fill_cytoplasm(rng, stack, kind.cytoplasm, outline, core)
    _fill_nucleus(rng, stack, kind.chromatin, core, radius)
    _strew_granules(rng, stack, kind.cytoplasm, core)
    _add_auer_rod(rng, stack, kind.cytoplasm, core, radius)
    opacity = cover(outline, 2.0)
    stack *= opacity
    mask = outline < 0
    box = Box(*cv2.boundingRect(mask.astype(np.uint8)))
    area = int(np.count_nonzero(mask))
    return WhiteCell(stack, opacity, mask, box, area, float(np.count_nonzero(core < 0)) / area)


def _fill_cytoplasm(
    rng: np.random.Generator, stack: Stack, look: Cytoplasm, outline: Plane, core: Plane
) -> None:
    side = outline.shape[0]
    texture = 1 + np.float32(look.unrest) * cut(rng, 7.0, side)
    texture += np.float32(look.unrest) * cut(rng, 26.0, side)
    texture += np.float32(look.edge) * np.exp(-(((outline + 2.5) / 3.5) ** 2))
    if look.hof:
        texture *= 1 - np.float32(look.hof) * _hof(rng, core)
    holes = _vacuoles(rng, look, outline, core)
    texture = np.clip(texture, 0.1, None) * (1 - np.float32(0.85) * holes)
    stack[Substance.BASOPHILIA] = np.float32(rng.uniform(*look.basophilia)) * texture
    stack[Substance.EOSIN] = np.float32(rng.uniform(*look.eosin)) * texture


def _hof(rng: np.random.Generator, core: Plane) -> Plane:
    """The pale Golgi zone on one side of the nucleus, 0 to 1."""
    x, y = grid(core.shape[0])
    turn = rng.uniform(0, 2 * np.pi)
    toward = (x * np.cos(turn) + y * np.sin(turn)) / np.float32(core.shape[0] / 4)
    return np.asarray(np.clip(toward, 0, 1) * np.exp(-np.abs(core - 6) / 14), np.float32)


def _vacuoles(rng: np.random.Generator, look: Cytoplasm, outline: Plane, core: Plane) -> Plane:
    """Opacity of the vacuoles, which lie in the cytoplasm."""
    holes = np.zeros_like(outline)
    room = np.argwhere((core > 3) & (outline < -5))
    count = rng.poisson(look.vacuoles)
    if not len(room):
        return holes
    x, y = grid(outline.shape[0])
    half = (outline.shape[0] - 1) / 2
    for row, column in room[rng.integers(0, len(room), count)]:
        size = rng.uniform(0.2, 0.6) * PIXELS_PER_UM
        dx, dy = x - np.float32(column - half), y - np.float32(row - half)
        away = np.sqrt(dx * dx + dy * dy)
        np.maximum(holes, cover(away - np.float32(size), 1.6), out=holes)
    return holes


def _fill_nucleus(
    rng: np.random.Generator, stack: Stack, look: Chromatin, core: Plane, radius: float
) -> None:
    side = core.shape[0]
    inside = cover(core, 1.6)
    texture = _chromatin(rng, look, side)
    texture += np.float32(0.14) * np.exp(-(((core + 2.0) / 2.0) ** 2))
    # A nucleus is a flattened ball: a little thinner toward its edge.
    texture *= np.float32(0.86) + np.float32(0.14) * np.clip(-core / np.float32(radius * 0.3), 0, 1)
    pale = _nucleoli(rng, look, core)
    density = np.float32(rng.uniform(*look.density)) * np.clip(texture, 0.25, None)
    stack *= 1 - np.float32(0.7) * inside
    stack[Substance.CHROMATIN] += inside * density * (1 - pale)
    stack[Substance.BASOPHILIA] += inside * (np.float32(0.15) + np.float32(0.5) * pale)


def _chromatin(rng: np.random.Generator, look: Chromatin, side: int) -> Plane:
    """Relative density, mean about 1."""
    contrast = np.float32(rng.uniform(*look.clumps))
    texture = 1 + contrast * np.tanh(cut(rng, look.clump_um * PIXELS_PER_UM, side))
    texture += np.float32(0.07) * cut(rng, 4.0 * PIXELS_PER_UM, side, 3.0)
    texture += np.float32(look.grain) * cut(rng, look.grain_um * PIXELS_PER_UM, side, 2.5)
    if look.seams:
        # The zero line of noise is a net of curved seams; a second noise breaks it up.
        net = cut(rng, 1.5 * look.clump_um * PIXELS_PER_UM, side)
        broken = np.clip(0.5 + 0.6 * cut(rng, 2.2 * PIXELS_PER_UM, side), 0, 1)
        texture -= np.float32(look.seams) * np.exp(-((net / np.float32(0.3)) ** 2)) * broken
    return np.asarray(texture, np.float32)


def _nucleoli(rng: np.random.Generator, look: Chromatin, core: Plane) -> Plane:
    """How much chromatin the nucleoli leave out, 0 to 1."""
    pale = np.zeros_like(core)
    count = int(rng.integers(look.nucleoli[0], look.nucleoli[1] + 1))
    room = np.argwhere(core < -0.9 * PIXELS_PER_UM)
    if not count or not len(room):
        return pale
    x, y = grid(core.shape[0])
    half = (core.shape[0] - 1) / 2
    depth = np.float32(rng.uniform(*look.nucleolus))
    for row, column in room[rng.integers(0, len(room), count)]:
        size = rng.uniform(0.6, 1.35) * PIXELS_PER_UM
        dx, dy = x - np.float32(column - half), y - np.float32(row - half)
        dx *= np.float32(rng.uniform(0.8, 1.2))
        away = np.sqrt(dx * dx + dy * dy) - np.float32(size)
        rim = np.float32(-0.35) * np.exp(-(((away - 1.5) / 2.0) ** 2))
        pale += depth * (cover(away, 3.0) + rim)
    return np.asarray(np.clip(pale, -0.3, 0.7), np.float32)


def _strew_granules(rng: np.random.Generator, stack: Stack, look: Cytoplasm, core: Plane) -> None:
    grains = look.granules
    if not grains.share:
        return
    side = core.shape[0]
    grain = _grains(rng, grains, side)
    grain *= 1 - cover(core, 1.6) * np.float32(1 - grains.over)
    stack[Substance.CHROMATIN] += np.float32(grains.chromatin) * grain
    stack[Substance.EOSIN] += np.float32(grains.eosin) * grain
    stack[Substance.HEMOGLOBIN] += np.float32(grains.orange) * grain


def _grains(rng: np.random.Generator, look: Granules, side: int) -> Plane:
    """Round granules at random places, 0 to 1."""
    whole = np.zeros((side, side), np.float32)
    for scale in (0.7, 1.0, 1.3):
        width = look.size_um * scale * PIXELS_PER_UM
        count = int(-np.log(1 - look.share) * side * side / (3 * np.pi / 4 * width * width))
        points = np.zeros((side, side), np.float32)
        places = rng.integers(0, side * side, count)
        points.ravel()[places] = rng.uniform(0.5, 1.0, count).astype(np.float32)
        odd = 2 * int(width / 2) + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (odd, odd))
        np.maximum(whole, cv2.dilate(points, disc), out=whole)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), 1.1), np.float32)


def _add_auer_rod(
    rng: np.random.Generator, stack: Stack, look: Cytoplasm, core: Plane, radius: float
) -> None:
    if rng.uniform() >= look.auer_rods:
        return
    room = np.argwhere((core > 4) & (core < 0.25 * radius))
    if not len(room):
        return
    row, column = room[rng.integers(0, len(room))]
    x, y = grid(core.shape[0])
    half = (core.shape[0] - 1) / 2
    turn = rng.uniform(0, np.pi)
    dx, dy = x - np.float32(column - half), y - np.float32(row - half)
    along = dx * np.float32(np.cos(turn)) + dy * np.float32(np.sin(turn))
    across = dy * np.float32(np.cos(turn)) - dx * np.float32(np.sin(turn))
    reach = np.float32(rng.uniform(1.0, 2.0) * PIXELS_PER_UM)
    rod = cover(np.maximum(np.abs(along) - reach, np.abs(across) - np.float32(2.0)), 1.6)
    stack[Substance.CHROMATIN] += np.float32(0.55) * rod
    stack[Substance.EOSIN] += np.float32(0.8) * rod
