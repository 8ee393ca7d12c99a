"""What may stand before the colon of `--data KIND:WHERE`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from model.data.all_idb import AllIdbSource, Use
from model.data.c_nmc import CNmcSource
from model.data.cells import CellSource
from model.data.classes import ClassMap
from model.data.folder import FolderSource, PicturesSource
from model.data.index import IndexSource
from model.data.pbc import PbcSource
from model.data.simulator import SimulatorSource
from model.errors import ModelError

PARTS: Final[dict[str, Literal[0, 1, 2]]] = {"": 0, "1": 1, "2": 2}
USES: Final[dict[str, Use]] = {"": "", "fields": "fields", "cells": "cells"}


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


def _folder(typed: Typed) -> CellSource:
    group = typed.only("group").get("group", "")
    return FolderSource(typed.path, typed.classes, typed.threads, group=group)


def _pictures(typed: Typed) -> CellSource:
    group = typed.only("group").get("group", "")
    return PicturesSource(typed.path, typed.classes, typed.threads, group=group)


def _pbc(typed: Typed) -> CellSource:
    typed.only()
    return PbcSource(typed.path, typed.classes, typed.threads)


def _c_nmc(typed: Typed) -> CellSource:
    typed.only()
    return CNmcSource(typed.path, typed.classes, typed.threads)


def _all_idb(typed: Typed) -> CellSource:
    typed.only("part", "idb1")
    part = _one_of(typed, "part", PARTS)
    use = _one_of(typed, "idb1", USES)
    return AllIdbSource(typed.path, typed.classes, typed.threads, part=PARTS[part], idb1=USES[use])


def _part_of_all_idb(part: str) -> Callable[[Typed], CellSource]:
    return lambda typed: _all_idb(replace(typed, options=typed.options | {"part": part}))


def _one_of(typed: Typed, name: str, known: Mapping[str, object]) -> str:
    value = typed.options.get(name, "")
    if value not in known:
        wanted = " or ".join(word for word in known if word)
        raise ModelError(f"{typed.text!r}: {name}={value} is not {wanted}")
    return value


def _simulator(typed: Typed) -> CellSource:
    typed.only()
    if not typed.where.isdecimal() or not int(typed.where):
        raise ModelError(f"{typed.text!r}: write simulator:N with N cells, 1 or more")
    labelled = not typed.classes.ignored
    return SimulatorSource(int(typed.where), typed.seed, typed.threads, labelled)


KINDS: Final[dict[str, Callable[[Typed], CellSource]]] = {
    "index": _index,
    "folder": _folder,
    "pictures": _pictures,
    "all-idb": _all_idb,
    "all-idb1": _part_of_all_idb("1"),
    "all-idb2": _part_of_all_idb("2"),
    "c-nmc": _c_nmc,
    "pbc": _pbc,
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
