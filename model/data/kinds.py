"""What may stand before the colon of `--data KIND:WHERE`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.data.cells import CellSource
from model.data.classes import ClassMap
from model.data.index import IndexSource
from model.data.simulator import SimulatorSource
from model.errors import ModelError


@dataclass(frozen=True)
class Typed:
    """A source as typed: KIND:WHERE?OPTION=VALUE&…, and what goes for all sources alike."""

    text: str
    where: str
    options: dict[str, str]
    classes: ClassMap
    seed: int
    threads: int

    @property
    def path(self) -> Path:
        """WHERE, if it is a path."""
        return Path(self.where).expanduser()

    def only(self, *known: str) -> dict[str, str]:
        """The options.

        Raises:
            ModelError: one is none of these.
        """
        for name in self.options.keys() - set(known):
            hint = f"it has {', '.join(known)}" if known else "it has none"
            raise ModelError(f"{self.text!r}: there is no option {name!r}: {hint}")
        return self.options


def _index(typed: Typed) -> CellSource:
    typed.only()
    return IndexSource(typed.path, typed.classes, typed.threads)


def _simulator(typed: Typed) -> CellSource:
    typed.only()
    if not typed.where.isdecimal() or not int(typed.where):
        raise ModelError(f"{typed.text!r}: write simulator:N with N cells, 1 or more")
    labelled = not typed.classes.ignored
    return SimulatorSource(int(typed.where), typed.seed, typed.threads, labelled)


KINDS: Final[dict[str, Callable[[Typed], CellSource]]] = {
    "index": _index,
    "simulator": _simulator,
}


def source(text: str, classes: ClassMap, seed: int, threads: int) -> CellSource:
    """The loader of one `--data`.

    Args:
        text: as typed.
        classes: what `--map` says.
        seed: of what is drawn.
        threads: to read with.

    Raises:
        ModelError: its kind or an option is not known.
    """
    kind, colon, rest = text.partition(":")
    where, _, options = rest.partition("?")
    if kind not in KINDS or not colon or not where:
        known = ", ".join(f"{name}:…" for name in KINDS)
        raise ModelError(f"--data {text!r} is not known: write one of {known}")
    pairs = [one.partition("=") for one in options.split("&") if one]
    named = {name: value for name, _, value in pairs}
    return KINDS[kind](Typed(text, where, named, classes, seed, threads))
