"""A run folder as evaluation sees it: files alone, whoever wrote them; no TensorFlow."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.errors import ModelError
from model.evaluation.predictions import Predictions, read_predictions
from model.run import FACTS, PREDICTIONS, load_facts

VALIDATION: Final = "validation.csv"
PICTURES: Final = "pictures.npy"
SPLIT: Final = "split.csv"
NAMED_LEAKS: Final = ("random", "leaky:")
"""Splits that say of themselves that they leak."""

MODES: Final = {"acgan": "AC-GAN", "plain": "AC-GAN's discriminator trained plainly"}


@dataclass(frozen=True)
class Run:
    """One model on one split with one seed, and what it said."""

    folder: Path
    title: str
    seed: int | None
    split: str
    """As asked for, such as `group`, `random`, `kfold:2/5`, `leave-out:pbc`."""
    leak: str
    """How the split leaks, in a sentence; empty where it does not."""
    abstain_below: float | None
    weights: str
    """Where they come from, such as `from scratch`; empty where the run does not say."""
    facts: dict[str, Any]
    predictions: Predictions
    validation: Predictions | None

    def pictures(self) -> npt.NDArray[np.uint8] | None:
        """The held-out cells, uint8 N×h×w×3, in the order of the predictions; memory-mapped.

        Raises:
            ModelError: there are pictures, but not one for each prediction.
        """
        file = self.folder / PICTURES
        if not file.exists():
            return None
        try:
            pictures: npt.NDArray[np.uint8] = np.load(file, mmap_mode="r")
        except ValueError as error:
            raise ModelError(f"{file} is no array of pictures: {error}") from error
        if len(pictures) != len(self.predictions):
            raise ModelError(
                f"{file} has {len(pictures)} pictures for {len(self.predictions)} predictions"
            )
        return pictures


def read_run(folder: Path) -> Run:
    """Read predictions, facts and what else is there.

    Raises:
        ModelError: the folder is no finished run, or a file of it is damaged.
    """
    facts = _facts(folder)
    config = _config(folder)
    split = _split(facts, config)
    validation = folder / VALIDATION
    seed = facts.get("seed", config.get("seed"))
    below = facts.get("abstain_below")
    return Run(
        folder=folder,
        title=str(facts.get("title") or facts.get("model") or _mode(config) or folder.name),
        seed=None if seed is None else int(seed),
        split=split,
        leak=_leak(split, folder / SPLIT, facts.get("crossings") or {}),
        abstain_below=None if below is None else float(below),
        weights=str(facts.get("weights", "")),
        facts=facts,
        predictions=read_predictions(folder / PREDICTIONS),
        validation=read_predictions(validation) if validation.exists() else None,
    )


def _facts(folder: Path) -> dict[str, Any]:
    try:
        return load_facts(folder)
    except json.JSONDecodeError as error:
        raise ModelError(f"{folder / FACTS} is damaged: {error}") from error


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    if not file.exists():
        return {}
    try:
        config: dict[str, Any] = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise ModelError(f"{file} is damaged: {error}") from error
    # A baseline keeps what it shares with a training in a part of its own.
    return {**config, **config.get("cells", {})}


def _mode(config: Mapping[str, Any]) -> str:
    return MODES.get(config.get("mode", ""), "")


def _split(facts: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """As asked for, and what was left out beside it."""
    split = str(facts.get("split") or config.get("split") or "group")
    left_out = ",".join(config.get("leave_out") or ())
    if not left_out or split.startswith("leave-out"):
        return split
    return f"leave-out:{left_out}" if split == "group" else f"{split}, without {left_out}"


def _leak(split: str, file: Path, crossings: Mapping[str, Any]) -> str:
    """By its name, by the groups that lie on both sides, and by what the split's maker found."""
    test, train = _groups(file)
    found = []
    if shared := len(test & train):
        found.append(f"{shared} of {len(test)} held-out patients, slides or parent images")
    if pictures := crossings.get("pictures"):
        found.append(f"{pictures} pictures")
    if twins := crossings.get("near_duplicates"):
        found.append(f"{twins} near-duplicates")
    if found:
        return f"split {split} leaks: {', '.join(found)} are in the training part too"
    if split.startswith(NAMED_LEAKS):
        return f"split {split} leaks wherever cells share a patient, slide or parent image"
    return ""


def _groups(file: Path) -> tuple[set[str], set[str]]:
    if not file.exists():
        return set(), set()
    groups: dict[str, set[str]] = {}
    try:
        with file.open(newline="") as opened:
            for row in csv.DictReader(opened):
                groups.setdefault(row["part"], set()).add(row["group"])
    except KeyError as error:
        raise ModelError(f"{file}: no column {error}") from error
    return groups.get("test", set()), groups.get("train", set())
