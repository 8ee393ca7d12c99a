"""Which field a crop was cut out of: the field in which it is found again."""

import hashlib
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from imaging.types import Image
from model.data.cells import Advance
from model.data.cutting import opened
from model.data.gather import cache_folder
from model.errors import ModelError

SMALL: Final = 20
"""Side of a crop in the first search, in pixels: fields are shrunk as it is."""

TRIED: Final = 5
"""Fields looked at in full, best first."""

FOUND: Final = 0.9
"""Normalised correlation in full size from which a crop is of a field. Tried on 60 crops of 30
simulated fields, saved as JPEG 90: 59 were found in their own field and none in another. Empty
background correlates with itself as little as 0.66 and with another's as much as 0.96."""


class Match(NamedTuple):
    """How well a crop fits where it fits best."""

    score: float
    x: int
    y: int


def parents(
    fields: Sequence[Path], crops: Sequence[Path], threads: int, advance: Advance | None = None
) -> dict[Path, str]:
    """Name (without suffix) of the field of each crop that is found in one.

    The first time takes 0.04 s CPU a crop for 30 fields of 1280×960 (AMD EPYC), and more with their
    area; the result is kept with the gathered cells.

    Args:
        fields: pictures to look in.
        crops: pictures to look for, in the fields' scale.
        threads: to look with.
        advance: told how far it is; not called where the result is kept already.

    Raises:
        ModelError: a picture cannot be read.
    """
    if not crops:
        return {}
    kept = cache_folder() / f"parents-{_fingerprint(fields, crops)}.json"
    if not kept.exists():
        found = _search(fields, crops, threads, advance or _untold)
        writing = kept.with_name(f"{kept.name}.{os.getpid()}")
        writing.write_text(json.dumps(found))
        writing.replace(kept)
    names: list[str] = json.loads(kept.read_text())
    return {crop: name for crop, name in zip(crops, names, strict=True) if name}


def _untold(done: int, total: int) -> None:
    """Nobody looks."""


def _search(
    fields: Sequence[Path], crops: Sequence[Path], threads: int, advance: Advance
) -> list[str]:
    sides = sorted({min(_opened(crop).shape[:2]) for crop in crops})
    scale = SMALL / sides[len(sides) // 2]
    small = [_shrunk(_opened(field), scale) for field in fields]

    def look(crop: Path) -> str:
        wanted = _opened(crop)
        tiny = _shrunk(wanted, scale)
        matches = [best(field, tiny) for field in small]
        order = sorted(range(len(fields)), key=lambda n: -matches[n].score)
        for number in order[:TRIED]:
            if _confirmed(_opened(fields[number]), wanted, matches[number], scale):
                return fields[number].stem
        return ""

    with ThreadPoolExecutor(threads) as pool:
        found = []
        for name in pool.map(look, crops):
            found.append(name)
            advance(len(found), len(crops))
        return found


def best(field: Image, crop: Image) -> Match:
    """Where a crop fits a field best, by normalised correlation of all colours."""
    if crop.shape[0] > field.shape[0] or crop.shape[1] > field.shape[1]:
        return Match(-1.0, 0, 0)
    scores = cv2.matchTemplate(field, crop, cv2.TM_CCOEFF_NORMED)
    _, score, _, (x, y) = cv2.minMaxLoc(scores)
    return Match(float(score), int(x), int(y))


def _confirmed(field: Image, crop: Image, near: Match, scale: float) -> bool:
    """Whether the crop is found in full size about where its small picture was."""
    reach = round(3 / scale)
    rows, columns = crop.shape[:2]
    left, top = max(0, round(near.x / scale) - reach), max(0, round(near.y / scale) - reach)
    right, bottom = left + columns + 2 * reach, top + rows + 2 * reach
    return best(field[top:bottom, left:right], crop).score >= FOUND


def _shrunk(image: Image, scale: float) -> Image:
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def _opened(path: Path) -> Image:
    try:
        raw: npt.NDArray[np.uint8] = np.fromfile(path, np.uint8)
        return opened(raw)
    except (OSError, ValueError, cv2.error) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error


def _fingerprint(fields: Sequence[Path], crops: Sequence[Path]) -> str:
    told = hashlib.sha256(Path(__file__).read_bytes())
    for path in (*fields, *crops):
        status = path.stat()
        told.update(f"{path.resolve()} {status.st_size} {status.st_mtime_ns}\n".encode())
    return told.hexdigest()[:32]
