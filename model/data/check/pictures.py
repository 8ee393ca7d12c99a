"""Look at each picture once: can it be read, how large and coloured is it, what does it tell."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.data.check.findings import Look, Trace
from model.data.check.traces import IDENTIFYING, traces
from model.data.cutting import opened
from model.data.pictures import Picture, in_order


@dataclass(frozen=True)
class Seen:
    """What one picture showed."""

    picture: Picture
    trouble: str
    """Why it cannot be read; empty if it can."""
    sha256: str = ""
    size: str = ""
    mean: tuple[float, ...] = ()
    contrast: float = 0.0
    traces: tuple[str, ...] = ()


def look_at(
    pictures: Sequence[Picture], threads: int, advance: Callable[[int, int], None]
) -> list[Seen]:
    """Each picture, in order; one that cannot be read is a finding and no error."""
    seen = []
    with ThreadPoolExecutor(threads) as pool:
        for done, one in enumerate(in_order(pool, _look, pictures, threads), 1):
            seen.append(one)
            advance(done, len(pictures))
    return seen


def _look(picture: Picture) -> Seen:
    try:
        raw = picture.path.read_bytes()
        image = opened(np.frombuffer(raw, np.uint8))
    except (OSError, ValueError, cv2.error) as error:
        return Seen(picture, f"{picture.where}: {picture.path}: {error}")
    pixels: npt.NDArray[np.float64] = image.reshape(-1, 3).astype(np.float64)
    return Seen(
        picture,
        trouble="",
        sha256=hashlib.sha256(raw).hexdigest(),
        size=f"{image.shape[1]}×{image.shape[0]}",
        mean=tuple(pixels.mean(axis=0).tolist()),
        contrast=float(pixels.std(axis=0).mean()),
        traces=tuple(traces(raw, picture.path.name)),
    )


def looks(seen: Iterable[Seen]) -> list[Look]:
    """Size and colour by source."""
    return [
        Look(
            source=source,
            pictures=len(mine),
            sizes=dict(Counter(one.size for one in mine).most_common()),
            mean=_three(np.mean([one.mean for one in mine], axis=0)),
            spread=_three(np.std([one.mean for one in mine], axis=0)),
            contrast=round(float(np.mean([one.contrast for one in mine])), 1),
        )
        for source, mine in _by_source(seen).items()
    ]


def told(seen: Iterable[Seen]) -> list[Trace]:
    """Metadata by source, those known to tell of people first."""
    found = [
        Trace(source, name, count, name in IDENTIFYING or name.startswith("file name"))
        for source, mine in _by_source(seen).items()
        for name, count in Counter(name for one in mine for name in one.traces).items()
    ]
    return sorted(found, key=lambda one: (not one.identifying, one.source, one.name))


def same_files(seen: Iterable[Seen]) -> list[tuple[Picture, Picture]]:
    """Pairs of pictures that are one file: the first with each later one."""
    first: dict[str, Picture] = {}
    pairs = []
    for one in seen:
        if one.trouble:
            continue
        before = first.setdefault(one.sha256, one.picture)
        if before is not one.picture:
            pairs.append((before, one.picture))
    return pairs


def _by_source(seen: Iterable[Seen]) -> dict[str, list[Seen]]:
    found: dict[str, list[Seen]] = {}
    for one in seen:
        if not one.trouble:
            found.setdefault(one.picture.source, []).append(one)
    return dict(sorted(found.items()))


def _three(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (round(float(value), 1) for value in values)
    return red, green, blue
