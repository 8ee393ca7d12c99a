"""The classes, in the order of every probability vector in this room."""

from typing import Final, Literal

Class = Literal["ALL", "AML", "Normal"]

LABELS: Final[tuple[Class, ...]] = ("ALL", "AML", "Normal")

UNKNOWN: Final = -1
"""Label of a cell without a diagnosis: it trains the source head only."""


def number(name: str) -> int:
    """Index of a class in `LABELS`; `UNKNOWN` for an empty name.

    Raises:
        ValueError: the name is no class.
    """
    if not name:
        return UNKNOWN
    for index, label in enumerate(LABELS):
        if label == name:
            return index
    raise ValueError(f"{name!r} is not a class: expected one of {', '.join(LABELS)} or nothing")
