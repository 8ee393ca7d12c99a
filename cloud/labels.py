"""From a field's cells to the field's label."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, get_args

from wire.words import Label

if TYPE_CHECKING:  # it brings onnxruntime, and the reading room asks here for `BLAST_SHARE`
    from cloud.classifier import Suggestion

BLAST_SHARE: Final = 0.2
"""A field is suggested ALL or AML when this share of its identified cells, or more, is suggested
one or the other: the 20 % blasts of the WHO classification (5th edition, 2022), which speaks of
200 cells or more, not of a field."""

_LEUKEMIAS: Final[tuple[Label, Label]] = ("ALL", "AML")


def count(suggestions: "Sequence[Suggestion]") -> dict[Label, int]:
    """Cells per label, every label named."""
    found = Counter(suggestion.label for suggestion in suggestions)
    return {label: found[label] for label in get_args(Label)}


def label_field(suggestions: "Sequence[Suggestion]") -> tuple[Label, str]:
    """Suggest the field's label, and say why in one sentence."""
    if not suggestions:
        return "unidentified", "No white cell was found in this field."
    counts = count(suggestions)
    identified = len(suggestions) - counts["unidentified"]
    if identified == 0:
        return "unidentified", _none_identified(len(suggestions))
    blasts = sum(counts[label] for label in _LEUKEMIAS)
    if blasts < BLAST_SHARE * identified:
        return "Normal", _share(counts["Normal"], identified, "Normal")
    leukemia = max(_LEUKEMIAS, key=lambda label: _weight(label, suggestions))
    what = (
        f"ALL ({counts['ALL']}) or AML ({counts['AML']})"
        if counts["ALL"] and counts["AML"]
        else leukemia
    )
    return leukemia, _share(blasts, identified, what)


def _weight(label: Label, suggestions: "Sequence[Suggestion]") -> float:
    return sum(s.probability for s in suggestions if s.label == label)


def _share(cells: int, identified: int, what: str) -> str:
    noun = "white cell is" if identified == 1 else "white cells are"
    return f"{cells} of {identified} identified {noun} suggested {what}."


def _none_identified(cells: int) -> str:
    noun = "white cell" if cells == 1 else f"{cells} white cells"
    return f"The model is not sure of the {noun} in this field."
