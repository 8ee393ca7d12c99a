"""What a stage is to the station, whatever moves it."""

from dataclasses import dataclass
from typing import Protocol


class StageError(RuntimeError):
    """The stage did not do what was asked. The message says what happened and what to do."""


@dataclass(frozen=True)
class Place:
    """Where the stage is, in µm."""

    x: float
    y: float
    z: float = 0.0


class Stage(Protocol):
    """Moves the slide (x, y) and the focus (z)."""

    name: str

    @property
    def place(self) -> Place:
        """Where it is now."""
        ...

    def move_to(self, place: Place) -> None:
        """Go there; returns when it has arrived.

        Raises:
            StageError: it did not arrive; what happened and what to do.
        """
        ...

    def close(self) -> None:
        """Give the device back. May be called twice."""
        ...
