"""What a stage is to the station, whatever moves it."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from edge.cameras.base import Camera


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


@runtime_checkable
class Halts(Protocol):
    """A stage that can be stopped on its way. Optional."""

    def halt(self) -> None:
        """Stop a move that is under way, from another thread; it ends with a StageError."""
        ...


@runtime_checkable
class Follows(Protocol):
    """A stage that moves by way of the camera, as the simulated one. Optional."""

    def follow(self, camera: Camera) -> None:
        """The camera was opened again: move this one from now on, from where the last one was.

        Raises:
            CameraError: it cannot be opened.
            StageError: this stage moves no such camera.
        """
        ...


@runtime_checkable
class KnowsGlass(Protocol):
    """A stage that knows where clear glass is, as the simulated one. Optional."""

    @property
    def glass(self) -> Place:
        """A place without any cells, at the height of the focus drive."""
        ...


@runtime_checkable
class Forgets(Protocol):
    """A stage that may not know where it is after a power cut. Optional."""

    @property
    def forgot(self) -> bool:
        """Whether it counts from 0 since it was opened: it was zeroed, or lost its place."""
        ...

    def believe(self, place: Place) -> None:
        """Take it that the stage stands at `place`; nothing moves."""
        ...
