"""ALL-IDB (Labati et al. 2011): fields with the centres of blasts, and crops cut out of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from imaging.box import Box
from imaging.types import Image
from model.data.cells import Advance
from model.data.finding import PORTRAIT, Field, Finder, all_boxes
from model.data.parents import parents
from model.data.pictures import Picture, PictureSource, files
from model.errors import ModelError

SOURCE: Final = "all-idb"
NAME: Final = re.compile(r"Im(?P<number>\d+)_(?P<blast>[01])$", re.IGNORECASE)
SIDE: Final = 1 / 12
"""Side of a blast where the finder finds none to measure, in units of the field's shorter side."""

Use = Literal["", "fields", "cells"]


@dataclass(frozen=True)
class Centres:
    """The blasts of a field, by the centres that its `.xyc` file gives; or itself, whole.

    Each is the found box its centre lies in, or else a box of the field's usual size around it.
    """

    points: tuple[tuple[int, int], ...]
    """x and y in pixels."""

    def __call__(self, image: Image, whole: bool) -> Sequence[Box | None]:
        """See `Finder`."""
        if whole:
            return [None]
        found = all_boxes(image)
        shorter = min(image.shape[:2])
        side = round(np.median([max(b.w, b.h) for b in found]) if found else SIDE * shorter)
        return [self._box(x, y, found, side) for x, y in self.points]

    def several(self, whole: bool) -> bool:
        """See `Finder`."""
        return not whole

    @staticmethod
    def _box(x: int, y: int, found: Sequence[Box], side: int) -> Box:
        for box in found:
            if box.x <= x < box.x + box.w and box.y <= y < box.y + box.h:
                return box
        return Box(x - side // 2, y - side // 2, side, side)


@dataclass(frozen=True)
class Always:
    """A finder that is told once whether pictures go whole, whatever the cut."""

    finder: Finder
    whole: bool

    def __call__(self, image: Image, whole: bool) -> Sequence[Box | None]:
        """See `Finder`."""
        del whole
        return self.finder(image, self.whole)

    def several(self, whole: bool) -> bool:
        """See `Finder`."""
        del whole
        return self.finder.several(self.whole)


@dataclass(frozen=True)
class AllIdbSource(PictureSource):
    """ImNNN_Y with Y 1 for leukemia (IDB1) or a blast (IDB2), 0 for neither, at any depth.

    A field of IDB1 and the crops of IDB2 cut out of it are one group, found by template matching.
    Without IDB1 each crop is its own group, which leaks: `notes` says so.
    """

    part: Literal[0, 1, 2] = 0
    """1: fields alone, 2: crops alone, 0: both."""
    idb1: Use = ""
    """What a field gives: its `cells`, or itself (`fields`); empty: as the cut wants pictures."""

    def prepare(self, advance: Advance) -> None:
        """See `PictureSource.prepare`: looks for the fields that crops were cut out of."""
        every = self._named()
        fields = [path for path in every if _part(path) == 1]
        if fields and self.part != 1:
            crops = [path for path in every if _part(path) == 2]
            parents(fields, crops, self.threads, advance)

    def _named(self) -> list[Path]:
        return [path for path in files(self.path) if NAME.match(path.stem)]

    def listed(self) -> list[Picture]:
        """See `PictureSource.listed`."""
        every = self._named()
        if not every:
            raise ModelError(f"{self.path} holds no picture named ImNNN_0 or ImNNN_1")
        fields = [path for path in every if _part(path) == 1]
        crops = [path for path in every if _part(path) == 2]
        found = [self._field(path) for path in fields] if self.part != 2 else []
        if self.part != 1:
            parent = parents(fields, crops, self.threads) if fields else {}
            found += [self._crop(path, parent.get(path)) for path in crops]
        if not found:
            raise ModelError(f"{self.path} holds nothing of ALL_IDB{self.part}")
        return found

    def notes(self) -> list[str]:
        """See `PictureSource.notes`."""
        crops = [p for p in self.pictures if p.key.startswith("all-idb2/")]
        alone = sum(p.group.startswith(f"{SOURCE}/idb2-") for p in crops)
        if not alone:
            return []
        return [
            f"{alone} of {len(crops)} crops of ALL_IDB2 were found in no field of ALL_IDB1 under "
            f"{self.path}: each is its own group, so crops of one field may lie on two sides"
        ]

    def _field(self, path: Path) -> Picture:
        blast = _blast(path)
        return Picture(
            path=path,
            key=f"all-idb1/{path.stem}",
            named="ALL" if blast else "Normal",
            source=SOURCE,
            group=f"{SOURCE}/{path.stem}",
            kind="blast field" if blast else "field",
            where=f"{self.path}",
            find=self._finder(path, blast),
        )

    def _finder(self, path: Path, blast: bool) -> Finder:
        if self.idb1 == "fields":
            return Always(Field(), whole=True)
        finder: Finder = Centres(centres(path)) if blast else Field()
        return Always(finder, whole=False) if self.idb1 == "cells" else finder

    def _crop(self, path: Path, parent: str | None) -> Picture:
        blast = _blast(path)
        return Picture(
            path=path,
            key=f"all-idb2/{path.stem}",
            named="ALL" if blast else "Normal",
            source=SOURCE,
            group=f"{SOURCE}/{parent or f'idb2-{path.stem}'}",
            kind="lymphoblast" if blast else "white cell",
            where=f"{self.path}",
            find=PORTRAIT,
        )


def centres(field: Path) -> tuple[tuple[int, int], ...]:
    """Centres of the blasts of a field, from `xyc/ImNNN_1.xyc` or the file beside it.

    Raises:
        ModelError: there is no such file, or a line of it is not two numbers.
    """
    name = f"{field.stem}.xyc"
    places = (field.parent.parent / "xyc" / name, field.with_suffix(".xyc"))
    path = next((one for one in places if one.is_file()), None)
    if path is None:
        raise ModelError(f"{field} has no centres of blasts: expected {places[0]}")
    points = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words:
            continue
        try:
            x, y = (round(float(word)) for word in words)
        except ValueError as error:
            raise ModelError(f"{path} line {number}: {line!r} is not x and y") from error
        points.append((x, y))
    return tuple(points)


def _blast(path: Path) -> bool:
    return path.stem[-1] == "1"


def _part(path: Path) -> int:
    """1 or 2 by the nearest folder that tells, else by the format: crops come as TIFF."""
    for folder in path.resolve().parents:
        told = re.search(r"idb[_ -]?([12])", folder.name, re.IGNORECASE)
        if told:
            return int(told[1])
    return 2 if path.suffix.lower() in (".tif", ".tiff") else 1
