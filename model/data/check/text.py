"""The findings for a person at a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from model.data.check.findings import Findings, Twin
from model.data.check.red import suspicious
from wire.words import RESEARCH_USE_ONLY

SHOWN: Final = 12
"""Lines of a list; JSON has all."""


def text(found: Findings) -> RenderableType:
    """Tables, then notes, then what is red."""
    return Group(*_parts(found))


def _parts(found: Findings) -> Iterator[RenderableType]:
    yield _counts(found)
    if found.looks:
        yield _looks(found)
    if found.probes:
        yield _probes(found)
    yield from _list("cannot be read", found.unreadable)
    yield from _list("the same or nearly", [_twin(twin) for twin in found.twins])
    yield from _list("metadata (names of tags, never what they say)", _traces(found))
    yield f"\n[bold]split {escape(found.split)}[/]: " + ", ".join(
        f"{part} {count:,}" for part, count in found.parts.items()
    )
    yield escape(found.crossings)
    yield f"Cramér's V of class and source: {found.class_follows_source:.2f}"
    yield from (f"note: {escape(note)}" for note in found.notes)
    yield from (f"[bold red]red: {escape(line)}[/]" for line in found.red)
    if not found.red:
        yield "[green]nothing red[/]"
    yield f"[dim]{RESEARCH_USE_ONLY}[/]"


def _counts(found: Findings) -> Table:
    table = Table("source", "class", "cells", "groups", title="cells", title_justify="left")
    for one in found.counts:
        table.add_row(escape(one.source), one.label, f"{one.cells:,}", f"{one.groups:,}")
    return table


def _looks(found: Findings) -> Table:
    table = Table(
        "source", "pictures", "sizes", "mean R, G, B", "± between pictures", "contrast",
        title="pictures", title_justify="left",
    )  # fmt: skip
    for one in found.looks:
        sizes = [f"{size} ({count:,})" for size, count in list(one.sizes.items())[:3]]
        more = len(one.sizes) - len(sizes)
        table.add_row(
            escape(one.source),
            f"{one.pictures:,}",
            ", ".join(sizes) + (f" and {more} more" if more else ""),
            ", ".join(f"{value:.0f}" for value in one.mean),
            ", ".join(f"{value:.0f}" for value in one.spread),
            f"{one.contrast:.0f}",
        )
    return table


def _probes(found: Findings) -> Table:
    table = Table(
        "source", "balanced accuracy", "95 % interval", "chance", "cells", "groups",
        title="border probe: the class guessed from three pixels of border", title_justify="left",
    )  # fmt: skip
    for one in found.probes:
        table.add_row(
            escape(one.source),
            f"{one.balanced_accuracy:.3f}",
            f"{one.low:.3f} to {one.high:.3f}",
            f"{one.chance:.2f}",
            f"{one.cells:,}",
            f"{one.groups:,}",
            style="red" if suspicious(one) else None,
        )
    return table


def _list(title: str, lines: list[str]) -> Iterator[str]:
    if not lines:
        return
    yield f"\n[bold]{title}: {len(lines):,}[/]"
    yield from (f"  {escape(line)}" for line in lines[:SHOWN])
    if len(lines) > SHOWN:
        yield f"  and {len(lines) - SHOWN:,} more (--json has all)"


def _twin(twin: Twin) -> str:
    where = [
        word
        for word, across in (
            ("two classes", twin.across_classes),
            ("two groups", twin.across_groups),
            ("two sides of the split", twin.across_split),
        )
        if across
    ]
    how = "same file" if twin.exact else "nearly the same"
    return f"{twin.one} and {twin.other}: {how}" + (f", {', '.join(where)}" if where else "")


def _traces(found: Findings) -> list[str]:
    return [
        f"{one.source}: {one.name} in {one.pictures:,} pictures"
        + (" (could identify)" if one.identifying else "")
        for one in found.traces
    ]
