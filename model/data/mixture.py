"""From what was typed to cells with their parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from model.config import TrainingConfig
from model.data.cells import Advance, CellSet, CellSource, digest, join
from model.data.classes import ClassMap
from model.data.cutting import Cutter
from model.data.disjoint import NOTHING, Crossings, Pairs, assert_disjoint, crossings, keep_together
from model.data.gather import gather
from model.data.kinds import source
from model.data.likeness import near_duplicates
from model.data.pictures import PictureSource
from model.data.split import RANDOM, Part, split
from model.data.split_file import read_split, split_digest
from model.errors import ModelError
from model.labels import UNKNOWN

LEAKY: Final = "leaky:"
"""Before a split file that is known to leak."""

MAY_LEAK: Final = (RANDOM, LEAKY)


@dataclass(frozen=True)
class Mixture:
    """All cells of a training, each in one part."""

    cells: CellSet
    parts: npt.NDArray[np.str_]
    digest: str
    """Of cells, labels and parts."""
    split: str = "group"
    """As asked for."""
    split_digest: str = ""
    crossings: Crossings = NOTHING
    """What lies on two sides: nothing, unless the split is one that may leak."""

    def part(self, part: Part) -> CellSet:
        """The cells of one part."""
        return self.cells.take(self.parts == part)


def sources(config: TrainingConfig) -> Iterator[tuple[str, CellSource]]:
    """Name and loader of each source of a configuration.

    Raises:
        ModelError: a source is of no known kind, or the class map names a class that none has.
    """
    found = [*_labelled(config), *_unlabelled(config)]
    _check_map(config, [one for _, one in found])
    yield from found


def mix(config: TrainingConfig, loaded: list[CellSet]) -> Mixture:
    """Split what was loaded, and take its digest.

    Raises:
        ModelError: nothing to train from, a class that nothing shows, or a split that leaks.
    """
    cells = together(loaded)
    alike = near_duplicates(cells)
    parts = parted(cells, alike, config)
    if not config.split.startswith(MAY_LEAK):
        assert_disjoint(cells, parts, alike)
    for part in ("train", "validation", "test"):
        classes = set(cells.labels[parts == part].tolist()) - {UNKNOWN}
        if len(classes) < 2:
            raise ModelError(f"the {part} part has {len(classes)} classes: two or more are needed")
    return Mixture(
        cells,
        parts,
        digest(cells, parts),
        config.split,
        split_digest(cells, parts),
        crossings(cells, parts, alike),
    )


def parted(cells: CellSet, alike: Pairs, config: TrainingConfig) -> npt.NDArray[np.str_]:
    """The part of each cell, as the configuration wants them split.

    Args:
        cells: N of them.
        alike: M×2 rows that look nearly the same.
        config: its `split`, `split_seed`, `leave_out` and `unlabel`.

    Raises:
        ModelError: there is no such split, or its file is of other cells.
    """
    how = config.split
    if how.startswith(LEAKY) or how.endswith(".csv"):
        return read_split(Path(how.removeprefix(LEAKY)), cells)
    parts = split(cells, config.split_seed, config.leave_out, how)
    parts = parts if how == RANDOM else keep_together(cells, parts, alike)
    return _unlabelled_sources(cells, parts, config.unlabel)


def _unlabelled_sources(
    cells: CellSet, parts: npt.NDArray[np.str_], names: Sequence[str]
) -> npt.NDArray[np.str_]:
    """Their training cells become unlabelled ones.

    Raises:
        ModelError: no cell is of such a source.
    """
    for name in names:
        if name not in cells.sources:
            known = ", ".join(sorted(set(cells.sources.tolist())))
            raise ModelError(f"--unlabel {name}: no cell is of {name}; there are {known}")
    parts[(parts == "train") & np.isin(cells.sources, names)] = "unlabelled"
    return parts


def together(loaded: Sequence[CellSet]) -> CellSet:
    """One set of what was loaded.

    Raises:
        ModelError: there is nothing, or a cell comes twice.
    """
    if not loaded:
        raise ModelError("nothing to train from: give --data KIND:WHERE, --simulator N, or both")
    cells = join(loaded)
    keys, counts = np.unique(cells.keys, return_counts=True)
    if (counts > 1).any():
        raise ModelError(f"{keys[counts > 1][0]} comes from two sources: give the data once")
    return cells


def load(config: TrainingConfig, source: CellSource, advance: Advance) -> CellSet:
    """Read one source as the configuration wants it cut, or take it from the cache."""
    whole = config.cut == "whole"
    return gather(source, Cutter(config.size, config.variants, config.split_seed, whole), advance)


def _labelled(config: TrainingConfig) -> Iterator[tuple[str, CellSource]]:
    classes = ClassMap.parse(config.class_map)
    for typed in config.data:
        yield typed, source(typed, classes, config.split_seed, config.threads)
    if config.simulator:
        typed = f"simulator:{config.simulator}"
        yield "simulator", source(typed, classes, config.split_seed, config.threads)


def _unlabelled(config: TrainingConfig) -> Iterator[tuple[str, CellSource]]:
    classes = ClassMap.parse(config.class_map, ignored=True)
    for typed in config.unlabelled_data:
        wanted = f"pictures:{typed}" if Path(typed).is_dir() else typed
        yield f"{typed} unlabelled", source(wanted, classes, config.split_seed, config.threads)


def _check_map(config: TrainingConfig, found: Sequence[CellSource]) -> None:
    """Refuse a FROM that nothing is called: it would do nothing, and nobody would notice."""
    if not config.class_map:
        return
    names: set[str] = set()
    for one in found:
        if isinstance(one, PictureSource):
            names.update(name for p in one.listed() for name in (p.named, p.kind))
    if wrong := ClassMap.parse(config.class_map).unused(names):
        known = ", ".join(sorted(names - {""}))
        raise ModelError(f"--map {wrong[0]}=…: nothing is called so. The data have {known}")
