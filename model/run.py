"""A run folder: all that a training leaves, and what an export needs."""

import csv
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from model.data.cells import CellSet
from model.data.mixture import Mixture
from model.data.split_file import COLUMNS, rows
from model.errors import ModelError
from model.evaluation.figures import Judged
from model.labels import LABELS

WEIGHTS: Final = "best.npz"
GENERATOR: Final = "generator.npz"
STARTED: Final = "started.json"
VALIDATION: Final = "validation.csv"
PICTURES: Final = "pictures.npy"
FACTS: Final = "facts.json"
PROBE: Final = "probe.npy"
OOD: Final = "ood.npz"
PREDICTIONS: Final = "predictions.csv"
HISTORY: Final = "history.jsonl"

LIBRARIES: Final = ("leukoscope", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime")

PROBE_CELLS: Final = 1000
"""Held-out cells that graph and Keras are compared on; a run with fewer keeps all it has."""


def new_run(run: Path) -> None:
    """Make the folder.

    Raises:
        ModelError: it holds something already.
    """
    if run.exists() and any(run.iterdir()):
        raise ModelError(f"{run} is not empty: give --out a new folder")
    run.mkdir(parents=True, exist_ok=True)


def save_weights(
    run: Path, weights: Sequence[npt.NDArray[np.float32]], name: str = WEIGHTS
) -> None:
    """Write the averaged discriminator's weights, or the GENERATOR's, in Keras' order."""
    write_arrays(run / name, {f"arr_{number}": one for number, one in enumerate(weights)})


def write_arrays(path: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write an npz file that is there whole or not at all, whenever the program is killed."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".writing-", delete=False) as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).replace(path)


def take_up_history(run: Path, epochs: int) -> list[dict[str, Any]]:
    """Lines of `history.jsonl` of the first epochs; later ones, of a killed training, go."""
    path = run / HISTORY
    lines = path.read_text().splitlines(keepends=True)[:epochs] if path.exists() else []
    path.write_text("".join(lines))
    return [json.loads(line) for line in lines]


def load_weights(run: Path, name: str = WEIGHTS) -> list[npt.NDArray[np.float32]]:
    """Read what `save_weights` wrote.

    Raises:
        ModelError: there is nothing to read.
    """
    try:
        with np.load(run / name) as file:
            return [file[f"arr_{number}"] for number in range(len(file.files))]
    except OSError as error:
        raise ModelError(f"{run} is not a finished run: {error}") from error


def save_split(run: Path, mixture: Mixture) -> None:
    """Write `split.csv`: key, source, group, kind, label, part of every cell."""
    with (run / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(rows(mixture.cells, mixture.parts))


def save_predictions(run: Path, judged: Judged) -> None:
    """Write `predictions.csv`: what the model says of each cell of the test and outside parts."""
    _save_judged(run / PREDICTIONS, judged, [], [[]] * len(judged.cells))


def save_validation(run: Path, judged: Judged, logits: npt.NDArray[np.float64]) -> None:
    """Write `validation.csv`: the same columns of the validation part, and a `logit` each class.

    With it temperature and threshold can be chosen anew without TensorFlow.

    Args:
        run: folder.
        judged: N cells.
        logits: N×labels, before the temperature.
    """
    more = [[f"{logit:.6g}" for logit in row] for row in logits]
    _save_judged(run / VALIDATION, judged, [f"logit {label}" for label in LABELS], more)


def _save_judged(
    path: Path, judged: Judged, names: Sequence[str], more: Sequence[Sequence[str]]
) -> None:
    cells = judged.cells
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        columns = ["key", "source", "group", "kind", "part", "label", *LABELS, "border"]
        writer.writerow([*columns, *names])
        for i in range(len(cells)):
            probabilities = [f"{p:.6f}" for p in judged.probabilities[i]]
            said = [LABELS[cells.labels[i]], *probabilities, LABELS[judged.border[i]]]
            where = [cells.keys[i], cells.sources[i], cells.groups[i], cells.kinds[i]]
            writer.writerow([*where, judged.parts[i], *said, *more[i]])


def save_pictures(run: Path, held_out: CellSet) -> None:
    """Write `pictures.npy`: the cells of `predictions.csv` in its order, uint8 N×h×w×3."""
    shape = (len(held_out), *held_out.cells.shape[2:])
    pictures = np.lib.format.open_memmap(run / PICTURES, "w+", np.uint8, shape)
    for row in range(len(held_out)):
        pictures[row] = held_out.cells[row, 0]
    pictures.flush()


def save_start(run: Path, started: dict[str, Any]) -> None:
    """Write `started.json`: what a training began with, before its first step."""
    (run / STARTED).write_text(json.dumps(started, indent=2) + "\n")


def load_start(run: Path) -> dict[str, Any] | None:
    """Read `started.json`; None where the training had not begun."""
    path = run / STARTED
    if not path.exists():
        return None
    started: dict[str, Any] = json.loads(path.read_text())
    return started


def save_probe(run: Path, held_out: CellSet, seed: int) -> None:
    """Keep some real cells, for the export to compare graph and Keras on."""
    chosen = np.random.default_rng(seed).permutation(len(held_out))[:PROBE_CELLS]
    np.save(run / PROBE, held_out.cells[np.sort(chosen), 0])


def load_probe(run: Path) -> npt.NDArray[np.uint8]:
    """The cells kept by `save_probe`, uint8 N×h×w×3."""
    try:
        probe: npt.NDArray[np.uint8] = np.load(run / PROBE)
    except OSError as error:
        raise ModelError(f"{run} is not a finished run: {error}") from error
    return probe


def save_facts(run: Path, facts: dict[str, Any]) -> None:
    """Write `facts.json`, the last file of a run: a run that has it is finished."""
    (run / FACTS).write_text(json.dumps(facts, indent=2) + "\n")


def load_facts(run: Path) -> dict[str, Any]:
    """Read `facts.json`.

    Raises:
        ModelError: the run is not finished.
    """
    try:
        facts: dict[str, Any] = json.loads((run / FACTS).read_text())
    except OSError as error:
        raise ModelError(f"{run} is not a finished run: {error}") from error
    return facts


def versions() -> dict[str, str]:
    """Version of each library that shapes a bundle."""
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed as a package"
    return found


def commit() -> str:
    """Commit of the code that trains, with `+` when changed since; empty outside git."""
    here = Path(__file__).parent
    try:
        asked = subprocess.run(
            ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"],  # noqa: S607  # git as the person has it
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return asked.stdout.strip()
