"""Which cells an experiment is about, and the splits under which it is run."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from model.data.cells import Advance, CellSet
from model.data.classes import ClassMap
from model.data.kinds import source
from model.data.mixture import load, sources, together
from model.data.simulator import SOURCE as SIMULATOR
from model.data.split import LEAVE_OUT, OUTSIDE, RANDOM
from model.errors import ModelError
from model.labels import LABELS, UNKNOWN, Class, number
from model.reproduce.settings import Reproduction
from model.training.study import Report

BINARY: Final = "binary"
THREE: Final = "three-classes"
GROUP: Final = "group"

LEUKEMIAS: Final[tuple[Class, ...]] = ("ALL", "AML")
"""The first that a source of real cells shows beside Normal is that of the binary experiment."""

SEED: Final = 2348
"""Of the draw of `at_most` cells."""


@dataclass(frozen=True)
class Experiment:
    """One of the paper's two, on the cells at hand."""

    name: str
    classes: tuple[Class, ...]
    splits: tuple[str, ...]
    cells: int
    """How many, of those with a label."""

    @property
    def title(self) -> str:
        """For the page."""
        return f"{', '.join(self.classes)}: the networks of the paper on the same cells"


def experiments(settings: Reproduction, every: CellSet) -> list[Experiment]:
    """Those that the cells allow.

    The binary one is ALL against Normal, as in the paper, where a source of real cells shows both;
    else AML against Normal. That with three classes needs all three.

    Raises:
        ModelError: the cells allow neither.
    """
    found = [_described(settings, every, *one) for one in _possible(every)]
    if not found:
        raise ModelError(
            "no experiment is possible: a source of real cells must show ALL and Normal, or AML "
            "and Normal"
        )
    return found


def read(settings: Reproduction, report: Report) -> CellSet:
    """All cells, from the cache where they were read before."""
    config = settings.cells()
    loaded = []
    for name, one in sources(config):
        loaded.append(load(config, one, _told(report, name)))
    loaded += [_aml(settings, typed, _told(report, typed)) for typed in settings.aml]
    return together(loaded)


def of_experiment(
    settings: Reproduction, every: CellSet, name: str, classes: tuple[Class, ...]
) -> CellSet:
    """The cells of an experiment, `at_most` of them, and those without a label.

    For the binary experiment a source has to show both classes: where a class is a source, the
    stain is enough to tell it.
    """
    numbers = [number(label) for label in classes]
    wanted = np.isin(every.labels, numbers)
    kept = every.labels == UNKNOWN
    for one in np.unique(every.sources[wanted]):
        inside = wanted & (every.sources == one)
        shown = len(np.unique(every.labels[inside]))
        if shown >= _least(str(one), name):
            kept |= inside
    if settings.at_most:
        kept = _drawn(every, kept, settings.at_most)
    return every.take(kept)


def _least(source: str, experiment: str) -> int:
    """Classes that a source must show to be of use; more than there are: it is of none."""
    if experiment == BINARY:
        return len(LABELS) if source == SIMULATOR else 2
    return 2 if source in OUTSIDE else 1


def _possible(every: CellSet) -> Iterator[tuple[str, tuple[Class, ...]]]:
    if first := next((c for c in LEUKEMIAS if _both(every, c)), None):
        yield BINARY, (first, "Normal")
    inside = ~np.isin(every.sources, list(OUTSIDE))
    if set(range(len(LABELS))) <= set(every.labels[inside].tolist()):
        yield THREE, LABELS


def _both(every: CellSet, leukemia: Class) -> bool:
    """Whether a source of real cells, not an outside one, shows this leukemia and Normal."""
    return any(
        {number(leukemia), number("Normal")} <= set(every.labels[every.sources == one].tolist())
        for one in np.unique(every.sources)
        if str(one) not in OUTSIDE | {SIMULATOR}
    )


def _described(
    settings: Reproduction, every: CellSet, name: str, classes: tuple[Class, ...]
) -> Experiment:
    cells = of_experiment(settings, every, name, classes)
    left_out = [f"{LEAVE_OUT}{one}" for one in _can_be_left_out(cells)]
    labelled = int((cells.labels != UNKNOWN).sum())
    return Experiment(name, classes, (RANDOM, GROUP, *left_out), labelled)


def _can_be_left_out(cells: CellSet) -> Iterator[str]:
    """Sources with two classes or more, each shown by another source too."""
    inside = (cells.labels != UNKNOWN) & ~np.isin(cells.sources, list(OUTSIDE))
    for one in np.unique(cells.sources[inside]):
        mine = inside & (cells.sources == one)
        shown = set(cells.labels[mine].tolist())
        if len(shown) > 1 and shown <= set(cells.labels[inside & ~mine].tolist()):
            yield str(one)


def _drawn(every: CellSet, kept: npt.NDArray[np.bool_], count: int) -> npt.NDArray[np.bool_]:
    """Equal shares of each pair of source and class, as far as they go; the others as they are."""
    free = kept & (every.labels != UNKNOWN) & ~np.isin(every.sources, list(OUTSIDE))
    names = np.char.add(every.sources, every.labels.astype(str))
    pairs, sizes = np.unique(names[free], return_counts=True)
    chosen: npt.NDArray[np.bool_] = kept & ~free
    left = count
    for place, pair in enumerate(pairs[np.argsort(sizes, kind="stable")]):
        rows = np.flatnonzero(free & (names == pair))
        few = min(len(rows), left // (len(pairs) - place))
        draw = np.random.default_rng([SEED, place])
        chosen[draw.permutation(rows)[:few]] = True
        left -= few
    return chosen


def _aml(settings: Reproduction, typed: str, advance: Advance) -> CellSet:
    """The AML cells of a source; of a folder of pictures, all are."""
    config = settings.cells()
    folder = Path(typed).is_dir()
    text = f"pictures:{typed}" if folder else typed
    one = source(text, ClassMap.parse(config.class_map), config.split_seed, config.threads)
    cells = load(config, one, advance)
    aml = number("AML")
    if folder:
        return replace(cells, labels=np.full(len(cells), aml))
    if not (cells.labels == aml).any():
        raise ModelError(f"--aml {typed} shows no AML")
    return cells.take(cells.labels == aml)


def _told(report: Report, name: str) -> Advance:
    return lambda done, total: report(f"reading {name}", done, total)
