"""Check data from end to end: look at the pictures, cut the cells, judge what was seen."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.stats.contingency import association

from model.config import TrainingConfig
from model.data.cells import CellSet, CellSource
from model.data.check.findings import Count, Findings, Twin
from model.data.check.pictures import Seen, look_at, looks, same_files, told
from model.data.check.probe import labels_of, probes
from model.data.check.red import red
from model.data.disjoint import SIDES, Pairs, Parts, crossings
from model.data.likeness import near_duplicates
from model.data.mixture import load, parted, sources, together
from model.data.pictures import Picture, PictureSource
from model.labels import UNKNOWN


class Report(Protocol):
    """Takes progress, as in a training."""

    def __call__(self, stage: str, done: int, total: int, word: str = "") -> None:
        """Called often; must be quick."""
        ...


@dataclass(frozen=True)
class Looked:
    """All pictures, and the cells of those that can be read and of the simulator."""

    seen: list[Seen]
    cells: CellSet
    notes: list[str]
    """Of the sources."""


def look(config: TrainingConfig, report: Report) -> Looked:
    """Look at all that a configuration would train on.

    Raises:
        ModelError: a source is no such thing, or none of its pictures can be read. A single
            picture that cannot be read is a finding.
    """
    seen: list[Seen] = []
    loaded: list[CellSet] = []
    notes: list[str] = []
    for name, source in sources(config):
        readable: CellSource = source
        if isinstance(source, PictureSource):
            source.prepare(_stage(report, f"preparing {name}"))
            mine = look_at(source.pictures, config.threads, _stage(report, f"looking at {name}"))
            notes += source.notes()
            seen += mine
            broken = frozenset(one.picture.path for one in mine if one.trouble)
            readable = replace(source, without=broken)
        loaded.append(load(config, readable, _stage(report, f"cutting {name}")))
    return Looked(seen, together(loaded), notes)


def judged(config: TrainingConfig, looked: Looked) -> Findings:
    """What follows from what was seen; `config` says how it would be split."""
    cells = looked.cells
    alike = near_duplicates(cells)
    parts = parted(cells, alike, config)
    found = Findings(
        data=list(config.data),
        split=config.split,
        counts=counts(cells),
        parts=dict(sorted(Counter(parts.tolist()).items())),
        crossings=str(crossings(cells, parts, alike)),
        unreadable=[one.trouble for one in looked.seen if one.trouble],
        looks=looks(looked.seen),
        twins=twins(cells, parts, alike, same_files(looked.seen)),
        traces=told(looked.seen),
        probes=probes(cells, config.split_seed),
        class_follows_source=class_follows_source(cells),
        notes=looked.notes,
    )
    return replace(found, red=red(found))


def counts(cells: CellSet) -> list[Count]:
    """Cells and groups of each class and source."""
    names = np.array(labels_of(cells))
    pairs = sorted(set(zip(cells.sources.tolist(), names.tolist(), strict=True)))
    found = []
    for source, label in pairs:
        mine = (cells.sources == source) & (names == label)
        groups = len(set(cells.groups[mine].tolist()))
        found.append(Count(source, label, int(mine.sum()), groups))
    return found


def class_follows_source(cells: CellSet) -> float:
    """Cramér's V of class and source over labelled cells, 0 to 1."""
    known = cells.labels != UNKNOWN
    _, source = np.unique(cells.sources[known], return_inverse=True)
    _, label = np.unique(cells.labels[known], return_inverse=True)
    if not known.any() or min(source.max(), label.max()) < 1:
        return 0.0
    table = np.zeros((source.max() + 1, label.max() + 1), np.int64)
    np.add.at(table, (source, label), 1)
    return round(float(association(table, method="cramer")), 4)


def twins(
    cells: CellSet, parts: Parts, alike: Pairs, files: Sequence[tuple[Picture, Picture]]
) -> list[Twin]:
    """Files that are one, and cells that are nearly one, those across classes first."""
    row = {key.partition("#")[0]: n for n, key in enumerate(cells.keys.tolist())}
    same = [
        (row[one.key], row[other.key]) for one, other in files if {one.key, other.key} <= set(row)
    ]
    known = {cells.keys[[a, b]].tobytes() for a, b in same}
    near = [(a, b) for a, b in alike.tolist() if cells.keys[[a, b]].tobytes() not in known]
    found = [_twin(cells, parts, a, b, exact=True) for a, b in same]
    found += [_twin(cells, parts, a, b, exact=False) for a, b in near]
    return sorted(found, key=lambda t: (not t.across_classes, not t.exact, t.one, t.other))


def _twin(cells: CellSet, parts: Parts, a: int, b: int, *, exact: bool) -> Twin:
    return Twin(
        one=str(cells.keys[a]),
        other=str(cells.keys[b]),
        exact=exact,
        across_classes=bool(cells.labels[a] != cells.labels[b]),
        across_groups=bool(cells.groups[a] != cells.groups[b]),
        across_split=SIDES[str(parts[a])] != SIDES[str(parts[b])],
    )


def _stage(report: Report, name: str) -> Callable[[int, int], None]:
    return lambda done, total: report(name, done, total)
