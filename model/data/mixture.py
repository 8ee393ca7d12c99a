"""From what was typed to cells with their parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from model.config import TrainingConfig
from model.data.cells import Advance, CellSet, CellSource, digest, join
from model.data.cutting import Cutter
from model.data.index import IndexSource
from model.data.simulator import SimulatorSource
from model.data.split import Part, split
from model.errors import ModelError


@dataclass(frozen=True)
class Mixture:
    """All cells of a training, each in one part."""

    cells: CellSet
    parts: npt.NDArray[np.str_]
    digest: str

    def part(self, part: Part) -> CellSet:
        """The cells of one part."""
        return self.cells.take(self.parts == part)


def sources(config: TrainingConfig) -> Iterator[tuple[str, CellSource]]:
    """Name and loader of each source of a configuration.

    Raises:
        ModelError: a source is of no known kind.
    """
    for typed in config.data:
        kind, _, path = typed.partition(":")
        if kind != "index" or not path:
            raise ModelError(f"--data {typed!r} is not known: write index:FILE.csv")
        yield typed, IndexSource(Path(path), config.threads)
    if config.simulator:
        yield "simulator", SimulatorSource(config.simulator, config.split_seed)


def mix(config: TrainingConfig, loaded: list[CellSet]) -> Mixture:
    """Split what was loaded, and take its digest.

    Raises:
        ModelError: nothing to train from, or a class that nothing shows.
    """
    if not loaded:
        raise ModelError("nothing to train from: give --data index:FILE, --simulator N, or both")
    cells = join(loaded)
    parts = split(cells, config.split_seed, config.leave_out)
    for part in ("train", "validation", "test"):
        classes = set(cells.labels[parts == part].tolist())
        if len(classes) < 2:
            raise ModelError(f"the {part} part has {len(classes)} classes: two or more are needed")
    return Mixture(cells, parts, digest(cells, parts))


def load(config: TrainingConfig, source: CellSource, advance: Advance) -> CellSet:
    """Read one source as the configuration wants it cut."""
    return source.load(Cutter(config.size, config.variants, config.split_seed), advance)
