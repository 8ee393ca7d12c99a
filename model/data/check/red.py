"""What makes figures suspect: each a sentence in red."""

from collections.abc import Iterator
from typing import Final

from model.data.check.findings import Findings, Probe

FOLLOWS: Final = 0.5
"""Cramér's V from which class follows source: a large effect for two classes (Cohen 1988)."""

ABOVE: Final = 0.1
"""How far above chance the lower bound of a probe may lie."""


def red(found: Findings) -> list[str]:
    """Sentences, the worst first."""
    return [*_source(found), *_probes(found), *_twins(found), *_others(found)]


def suspicious(probe: Probe) -> bool:
    """Whether the border knows the class: the cell is not needed for a good figure."""
    return probe.low > probe.chance + ABOVE


def _source(found: Findings) -> Iterator[str]:
    if found.class_follows_source >= FOLLOWS:
        yield (
            f"class follows source (Cramér's V {found.class_follows_source:.2f}): a model can "
            "score by recognising the source. Take each class from several sources, and look at "
            "figures within sources and with a source left out"
        )
    labelled = [count for count in found.counts if count.label != "unlabelled"]
    for label in sorted({count.label for count in labelled}):
        shown = [count.source for count in labelled if count.label == label]
        if len(shown) == 1 and len({count.source for count in labelled}) > 1:
            yield f"every {label} cell is from {shown[0]}: {label} cannot be told from that source"


def _probes(found: Findings) -> Iterator[str]:
    for probe in filter(suspicious, found.probes):
        where = "over all sources" if probe.source == "pooled" else f"within {probe.source}"
        yield (
            f"three pixels of border guess the class {where} with a balanced accuracy of "
            f"{probe.balanced_accuracy:.2f} ({probe.low:.2f} to {probe.high:.2f}; chance "
            f"{probe.chance:.2f}): what lies around the cell tells its class"
        )


def _twins(found: Findings) -> Iterator[str]:
    for exact, name in ((True, "the same file"), (False, "nearly the same cell")):
        wrong = [t for t in found.twins if t.across_classes and t.exact == exact]
        if wrong:
            yield (
                f"{len(wrong)} pairs are {name} under two classes, such as {wrong[0].one} and "
                f"{wrong[0].other}: one of the labels is wrong"
            )
    leaking = [t for t in found.twins if t.across_split]
    if leaking:
        yield (
            f"{len(leaking)} pairs of the same or nearly the same picture lie on two sides of the "
            f"split {found.split}"
        )


def _others(found: Findings) -> Iterator[str]:
    if found.split.startswith(("random", "leaky:")) and not found.crossings.startswith("0 groups"):
        yield f"the split {found.split} leaks: {found.crossings}"
    if found.unreadable:
        yield f"{len(found.unreadable)} pictures cannot be read"
    telling = sorted({trace.name for trace in found.traces if trace.identifying})
    if telling:
        yield (
            f"metadata that could tell who pictures are of: {', '.join(telling)}. Look at them, "
            "and take them out before the pictures go anywhere"
        )
