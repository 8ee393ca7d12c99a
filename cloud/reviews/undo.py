"""Takes a reclassification back: by another one, for nothing leaves a chain. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from cloud.reviews.entry import Amend, CellName, Entry, ReaderLabel, Reclassify
from cloud.reviews.rules import OvertakenError, ReviewRefused
from wire.words import Label


def undo(
    entries: Sequence[Entry], number: int, reader: str, machine: Mapping[CellName, Label]
) -> list[Reclassify]:
    """What gives the cells of an entry the labels back that they had before it.

    A cell that nobody had named before gets the machine's label, as a reader's. To undo this
    again is to undo the entries that it becomes.

    Args:
        entries: of the slide's chain, all of them.
        number: of the entry to be undone.
        reader: who wants that.
        machine: the machine's label of each cell.

    Returns:
        One for each label, in the order of the cells.

    Raises:
        OvertakenError: one of the cells was named again since.
        ReviewRefused: `not-undoable`: it is no reclassification, or another reader's.
    """
    action = _own(entries, number, reader)
    if newer := [entry for entry in entries[number:] if _names(entry, set(action.cells))]:
        raise OvertakenError.by(newer)
    before = _labels(entries[: number - 1])
    back: dict[ReaderLabel, list[CellName]] = {}
    for cell in dict.fromkeys(action.cells):
        back.setdefault(before.get(cell, machine[cell]), []).append(cell)
    return [Reclassify(cells, label) for label, cells in back.items()]


def _own(entries: Sequence[Entry], number: int, reader: str) -> Reclassify:
    if not 1 <= number <= len(entries):
        raise ReviewRefused("not-undoable", f"This slide has no step {number}: load it again.")
    entry = entries[number - 1]
    if not isinstance(entry.action, Reclassify):
        raise ReviewRefused(
            "not-undoable",
            "Only a reclassification can be undone: what was seen, said, waived or signed stays.",
        )
    if entry.reader != reader:
        raise ReviewRefused(
            "not-undoable",
            f"{entry.reader} did this: reclassify the cells instead, then both steps are kept.",
        )
    return entry.action


def _names(entry: Entry, cells: set[CellName]) -> bool:
    return any(not cells.isdisjoint(change.cells) for change in _changes(entry))


def _labels(entries: Iterable[Entry]) -> dict[CellName, ReaderLabel]:
    found: dict[CellName, ReaderLabel] = {}
    for entry in entries:
        for change in _changes(entry):
            found |= dict.fromkeys(change.cells, change.label)
    return found


def _changes(entry: Entry) -> Sequence[Reclassify]:
    match entry.action:
        case Reclassify():
            return [entry.action]
        case Amend(changes=changes):
            return changes
    return []
