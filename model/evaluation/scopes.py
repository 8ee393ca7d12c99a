"""Which cells a figure is about: never one number over things that differ."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation.predictions import Predictions

HELD_OUT: Final = "held out"
REAL: Final = f"{HELD_OUT}, real cells"
DRAWN: Final = f"{HELD_OUT}, simulator"


class Scope(NamedTuple):
    """A name and the rows that belong to it."""

    name: str
    rows: npt.NDArray[np.bool_]


def scopes(said: Predictions) -> list[Scope]:
    """The held-out part, its real and its simulated cells, and each source never trained on.

    The first is the headline: the held-out part where there is one.
    """
    return list(_scopes(said))


def _scopes(said: Predictions) -> Iterator[Scope]:
    test = said.parts == "test"
    drawn = said.sources == SIMULATOR
    if test.any():
        yield Scope(HELD_OUT, test)
    if (test & drawn).any() and (test & ~drawn).any():
        yield Scope(REAL, test & ~drawn)
        yield Scope(DRAWN, test & drawn)
    for source in np.unique(said.sources[~test]):
        yield Scope(f"outside, {source}", ~test & (said.sources == source))


def sources(said: Predictions) -> list[Scope]:
    """Each source of the held-out part."""
    test = said.parts == "test"
    return [
        Scope(str(source), test & (said.sources == source))
        for source in np.unique(said.sources[test])
    ]
