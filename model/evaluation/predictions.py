"""What a model said of each held-out cell, read back from the file that every run leaves."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.errors import ModelError
from model.evaluation.measures import Classes, Numbers
from model.labels import LABELS, UNKNOWN, number

NO_GUESS: Final = UNKNOWN
"""In `border`, where the run had no border control."""

ROUNDING: Final = 0.01
"""By which written probabilities may miss a sum of 1."""


@dataclass(frozen=True)
class Predictions:
    """N labelled cells that no training saw. Every field has N entries."""

    keys: npt.NDArray[np.str_]
    sources: npt.NDArray[np.str_]
    groups: npt.NDArray[np.str_]
    """Patient, slide, parent image or image."""
    kinds: npt.NDArray[np.str_]
    parts: npt.NDArray[np.str_]
    """`test`, `outside` or `validation`."""
    labels: Classes
    probabilities: Numbers
    """N×labels, 0 to 1; a class that the model does not know has 0."""
    border: Classes
    """Guesses of the border control, or NO_GUESS."""

    def __len__(self) -> int:
        """How many cells."""
        return len(self.keys)

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Predictions":
        """The cells where `chosen` is true, or those of the rows it names."""
        return Predictions(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    @property
    def given(self) -> Classes:
        """The likeliest class of each cell."""
        best: Classes = self.probabilities.argmax(axis=1)
        return best

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether the likeliest class is the right one."""
        same: npt.NDArray[np.bool_] = self.given == self.labels
        return same

    @property
    def confidence(self) -> Numbers:
        """Probability of the likeliest class, 0 to 1."""
        largest: Numbers = self.probabilities.max(axis=1)
        return largest

    @property
    def known(self) -> tuple[int, ...]:
        """The classes that the model knows, or that a cell has."""
        found = self.probabilities.max(axis=0) > 0
        found[self.labels] = True
        return tuple(int(label) for label in np.flatnonzero(found))


def join(several: Sequence[Predictions]) -> Predictions:
    """One of several, in their order."""
    columns = [f.name for f in fields(Predictions)]
    return Predictions(
        **{name: np.concatenate([getattr(one, name) for one in several]) for name in columns}
    )


def read_predictions(file: Path) -> Predictions:
    """Read a `predictions.csv`.

    Columns: key, source, group, kind, part, label, a probability for each of LABELS, and
    border, which may be empty or left out.

    Raises:
        ModelError: there is no such file, or a line of it is wrong; the message says which.
    """
    try:
        with file.open(newline="") as opened:
            rows = [_row(file, line, row) for line, row in enumerate(csv.DictReader(opened), 2)]
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{file} cannot be read as predictions: {error}") from error
    if not rows:
        raise ModelError(f"{file} holds no predictions")
    columns: dict[str, Any] = {
        name: np.array([row[name] for row in rows]) for name in rows[0] if name != "probabilities"
    }
    probabilities = np.array([row["probabilities"] for row in rows])
    return Predictions(
        probabilities=probabilities / probabilities.sum(axis=1, keepdims=True), **columns
    )


def _row(file: Path, line: int, row: Mapping[str, str]) -> dict[str, Any]:
    try:
        label = number(row["label"])
        if label == UNKNOWN:
            raise ValueError("the label is empty: figures need labelled cells")
        return {
            "keys": row["key"],
            "sources": row["source"],
            "groups": row["group"],
            "kinds": row["kind"],
            "parts": row["part"],
            "labels": label,
            "probabilities": _probabilities(row),
            "border": number(row.get("border") or ""),
        }
    except KeyError as error:
        raise ModelError(f"{file}, line {line}: no column {error}") from error
    except (ValueError, TypeError) as error:
        raise ModelError(f"{file}, line {line}: {error}") from error


def _probabilities(row: Mapping[str, str]) -> list[float]:
    values = [float(row[name]) for name in LABELS]
    if not (min(values) >= 0 and abs(sum(values) - 1) <= ROUNDING):
        raise ValueError(f"probabilities {values} are no distribution")
    return values
