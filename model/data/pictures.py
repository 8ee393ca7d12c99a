"""Sources made of picture files: what they name is read, found and cut here, the same for all."""

import hashlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import cv2
import numpy as np

from imaging.types import Image
from model.data.cells import Advance, OneCell
from model.data.classes import ClassMap
from model.data.cutting import Cutter, opened
from model.data.finding import PORTRAIT, Finder
from model.errors import ModelError

SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})

AHEAD: Final = 4
"""Pictures in hand for each thread: the memory that reading takes."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Picture:
    """A file with one white cell, or with several."""

    path: Path
    key: str
    """Unique name; a cell of a field gets `#number` after it."""
    named: str
    """The class as the source writes it; may be empty."""
    source: str
    group: str
    kind: str
    where: str
    """For messages: what names it, such as `index.csv line 7`."""
    find: Finder = PORTRAIT


@dataclass(frozen=True)
class PictureSource(ABC):
    """A source that lists pictures. One file of this package per kind."""

    path: Path
    """The folder or file that was typed."""
    classes: ClassMap = field(default_factory=ClassMap)
    threads: int = 2
    without: frozenset[Path] = frozenset()
    """Pictures that are not looked at, as they cannot be read: `data check` finds them."""

    @abstractmethod
    def listed(self) -> list[Picture]:
        """Every picture, platelets and dropped classes too.

        Raises:
            ModelError: the folder or file is not as it should be; says where and what to do.
        """

    def prepare(self, advance: Advance) -> None:
        """Do, with progress, what listing needs and would do without."""
        del advance  # most list at once

    def notes(self) -> list[str]:
        """What a reader of any figure from these pictures should know: sentences."""
        return []

    @cached_property
    def pictures(self) -> list[Picture]:
        """Those that the class map keeps, in the order of the source."""
        kept = [
            one
            for one in self.listed()
            if self.classes.keeps(one.named, one.kind) and one.path not in self.without
        ]
        if not kept:
            raise ModelError(f"{self.path} has no picture of a white cell")
        return kept

    def label(self, picture: Picture) -> int:
        """Index into LABELS, or UNKNOWN.

        Raises:
            ModelError: its class is none, and no map says what it is.
        """
        return self.classes.label(picture.named, picture.kind, picture.where)

    def cells(self, cutter: Cutter, advance: Advance) -> Iterator[OneCell]:
        """See `CellSource.cells`."""
        pictures = self.pictures
        with ThreadPoolExecutor(self.threads) as pool:
            work = in_order(pool, lambda one: list(self._cut(one, cutter)), pictures, self.threads)
            for done, found in enumerate(work, 1):
                yield from found
                advance(done, len(pictures))

    def fingerprint(self) -> Iterator[str]:
        """See `CellSource.fingerprint`."""
        labels = [self.label(one) for one in self.pictures]  # wrong ones are told before all else
        for one, label in zip(self.pictures, labels, strict=True):
            told = (str(one.path.resolve()), one.key, label, one.source, one.group, one.kind)
            yield repr((*told, one.find, *_status(one)))

    def _cut(self, picture: Picture, cutter: Cutter) -> Iterator[OneCell]:
        image, origin = read(picture)
        boxes = picture.find(image, cutter.whole)
        several = picture.find.several(cutter.whole)
        for place, box in enumerate(boxes):
            key = f"{picture.key}#{place}" if several else picture.key
            yield OneCell(
                cells=cutter.cut(image, box, key),
                label=self.label(picture),
                source=picture.source,
                group=picture.group,
                kind=picture.kind,
                key=key,
                origin=origin,
            )


def read(picture: Picture) -> tuple[Image, str]:
    """An image, uint8 H×W×3 RGB, and its file's SHA-256. The engineer's own file: trusted.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        raw = picture.path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{picture.where} names {picture.path}, which cannot be read: {error}"
        ) from error
    try:
        return opened(np.frombuffer(raw, np.uint8)), hashlib.sha256(raw).hexdigest()
    except (ValueError, cv2.error) as error:
        raise ModelError(f"{picture.where} names {picture.path}: {error}") from error


def files(folder: Path, suffixes: Iterable[str] = SUFFIXES) -> list[Path]:
    """Pictures at any depth of a folder, sorted; names that begin with a dot are left out.

    Raises:
        ModelError: it is no folder, or has none.
    """
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder")
    wanted = frozenset(suffixes)
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in wanted and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise ModelError(f"{folder} holds no picture ({', '.join(sorted(wanted))})")
    return found


def in_order(
    pool: ThreadPoolExecutor,
    work: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
) -> Iterator[Result]:
    """As `pool.map`, with few results in hand, so that memory does not grow with the items."""
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= AHEAD * threads:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _status(picture: Picture) -> tuple[int, int]:
    try:
        status = picture.path.stat()
    except OSError as error:
        raise ModelError(
            f"{picture.where} names {picture.path}, which cannot be read: {error}"
        ) from error
    return status.st_size, status.st_mtime_ns
