"""The steps that a reader can take back, one after another. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cloud.reviews.entry import Amend, CellName, Entry, ReaderLabel, Reclassify, Sign
from wire.words import Label


@dataclass(frozen=True, slots=True)
class Step:
    """A reclassification that its reader can take back."""

    number: int
    """Of its entry."""
    back: tuple[Reclassify, ...]
    """What gives its cells the labels that they had before it."""


def steps(entries: Sequence[Entry], reader: str, machine: Mapping[CellName, Label]) -> list[Step]:
    """A reader's steps, the last one first; only that one can be taken back now.

    Nothing leaves a chain, so a step is taken back by another entry. One that gives the cells of
    the last step their labels back is read as that, whoever pressed what: then both are gone from
    the list, and the step before is the last one. Cells that somebody else has named since are
    theirs, and in no step any more. A signature ends all.

    Args:
        entries: of the slide's chain, all of them.
        reader: whose steps.
        machine: the machine's label of each cell.
    """
    labels: dict[CellName, ReaderLabel] = dict(machine)
    taken: list[tuple[int, dict[CellName, ReaderLabel]]] = []
    for entry in entries:
        match entry.action:
            case Reclassify(cells, label) if entry.reader == reader:
                _own(taken, entry.number, cells, label, labels)
            case Reclassify(cells):
                taken = _without(taken, cells)
            case Sign() | Amend():
                taken = []
        labels |= _named(entry)
    return [Step(number, _back(before)) for number, before in reversed(taken)]


def _own(
    taken: list[tuple[int, dict[CellName, ReaderLabel]]],
    number: int,
    cells: Sequence[CellName],
    label: ReaderLabel,
    labels: Mapping[CellName, ReaderLabel],
) -> None:
    before = {cell: labels[cell] for cell in cells if labels[cell] != label}
    last = taken[-1][1] if taken else {}
    if before and all(last.get(cell) == label for cell in before):
        for cell in before:
            del last[cell]
        if not last:
            taken.pop()
    elif before:
        taken.append((number, before))


def _without(
    taken: Sequence[tuple[int, dict[CellName, ReaderLabel]]], cells: Sequence[CellName]
) -> list[tuple[int, dict[CellName, ReaderLabel]]]:
    theirs = set(cells)
    left = [
        (number, {cell: label for cell, label in before.items() if cell not in theirs})
        for number, before in taken
    ]
    return [(number, before) for number, before in left if before]


def _named(entry: Entry) -> dict[CellName, ReaderLabel]:
    match entry.action:
        case Reclassify(cells, label):
            return dict.fromkeys(cells, label)
        case Amend(changes=changes):
            return {cell: change.label for change in changes for cell in change.cells}
    return {}


def _back(before: Mapping[CellName, ReaderLabel]) -> tuple[Reclassify, ...]:
    found: dict[ReaderLabel, list[CellName]] = {}
    for cell, label in before.items():
        found.setdefault(label, []).append(cell)
    return tuple(Reclassify(cells, label) for label, cells in found.items())
