"""Made-up run folders: what a training would leave, without one."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from model.labels import LABELS

COLUMNS = ["key", "source", "group", "kind", "part", "label", *LABELS, "border"]


class MadeUp(NamedTuple):
    """A cell with what a model says of it."""

    key: str
    source: str
    group: str
    kind: str
    part: str
    label: str
    probabilities: Sequence[float]
    border: str = ""


def write_predictions(file: Path, cells: Iterable[MadeUp]) -> None:
    """Write a `predictions.csv` or `validation.csv`."""
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(COLUMNS)
        for cell in cells:
            *front, probabilities, border = cell
            writer.writerow([*front, *(f"{p:.6f}" for p in probabilities), border])


def write_run(
    folder: Path, cells: Sequence[MadeUp], *, title: str, seed: int, split: str, **facts: Any
) -> Path:
    """Write predictions, split and facts; the split has a training group for each source."""
    folder.mkdir(parents=True)
    held_out = [cell for cell in cells if cell.part != "validation"]
    write_predictions(folder / "predictions.csv", held_out)
    if len(held_out) < len(cells):
        write_predictions(
            folder / "validation.csv", [cell for cell in cells if cell.part == "validation"]
        )
    with (folder / "split.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "source", "group", "kind", "label", "part"])
        for cell in cells:
            writer.writerow([*cell[:4], cell.label, cell.part])
        for source in sorted({cell.source for cell in cells}):
            writer.writerow([f"{source}/t", source, f"{source}/train", "", "Normal", "train"])
    known = {"title": title, "seed": seed, "split": split, "abstain_below": 0.6}
    (folder / "facts.json").write_text(json.dumps({**known, **facts}))
    return folder


def simple_run(
    folder: Path, wanted: str, given: str, *, pictures: bool = False, **rest: Any
) -> Path:
    """A run whose cells are letters: A for ALL, M for AML, N for Normal; each its own group."""
    letters = dict(zip("AMN", LABELS, strict=True))
    known = [label for letter, label in letters.items() if letter in wanted + given]
    cells = []
    for i, (right, guess) in enumerate(zip(wanted, given, strict=True)):
        others = 0.1 / max(1, len(known) - 1)
        chances = {label: 0.9 if label == letters[guess] else others for label in known}
        said = [chances.get(label, 0.0) / sum(chances.values()) for label in LABELS]
        cells.append(MadeUp(f"c{i}", "made", f"g{i}", "cell", "test", letters[right], said))
    write_run(folder, cells, **{"title": "made", "seed": 1, "split": "group", **rest})
    if pictures:
        np.save(folder / "pictures.npy", np.stack([_picture(cell.label) for cell in cells]))
    return folder


def realistic_cells(skill: float, seed: int, labels: Sequence[str] = LABELS) -> list[MadeUp]:
    """Patients, slides, single images and an outside laboratory, held out and validation.

    Args:
        skill: how far the right class stands out; 0 guesses, 4 is good.
        seed: of what the model says; the cells stay the same.
        labels: the classes of the experiment.
    """
    cells = np.random.default_rng(0)
    said = np.random.default_rng([seed, round(100 * skill)])
    made = []
    for source, number, size, part in _sources():
        group = f"{source}/{number}"
        lean = said.normal(scale=1.5, size=3)
        for i in range(size):
            label = str(cells.choice(_labels(source, labels)))
            probabilities = _said(label, labels, lean, skill, said)
            kind = "blast" if label != "Normal" else "neutrophil" if i % 2 else "monocyte"
            border = str(cells.choice([label, *labels]))
            key = f"{group}/{i}"
            made.append(MadeUp(key, source, group, kind, part, label, probabilities, border))
    return made


def _sources() -> Iterable[tuple[str, int, int, str]]:
    """Source, group, cells of it and part."""
    yield from (("deepapl", n, 12 + n % 9, "test") for n in range(18))
    yield from (("deepapl", 100 + n, 14, "validation") for n in range(12))
    yield from (("pbc", n, 1, "test") for n in range(80))
    yield from (("pbc", 200 + n, 1, "validation") for n in range(40))
    yield from (("simulator", n, 15, "test") for n in range(14))
    yield from (("simulator", 50 + n, 15, "validation") for n in range(6))
    yield from (("lmu", n, 1, "outside") for n in range(50))


def _labels(source: str, labels: Sequence[str]) -> list[str]:
    had = {"pbc": {"Normal"}, "deepapl": {"AML", "Normal"}, "lmu": {"AML", "Normal"}}
    return [label for label in labels if label in had.get(source, labels)] or ["Normal"]


def _said(
    label: str,
    labels: Sequence[str],
    lean: np.ndarray[Any, Any],
    skill: float,
    draw: np.random.Generator,
) -> list[float]:
    logits = skill * (np.array(LABELS) == label) + lean + draw.normal(size=3)
    powers = np.exp(logits) * np.isin(LABELS, labels)
    chances: list[float] = (powers / powers.sum()).tolist()
    return chances


def realistic_run(
    folder: Path,
    *,
    title: str = "AC-GAN",
    seed: int = 1,
    split: str = "group",
    skill: float = 4.0,
    labels: Sequence[str] = LABELS,
    pictures: bool = False,
) -> Path:
    """A whole run folder of `realistic_cells`, with pictures in a colour for each class."""
    made = realistic_cells(skill, seed, labels)
    run = write_run(
        folder,
        made,
        title=title,
        seed=seed,
        split=split,
        temperature=1.2,
        data_digest="0" * 64,
        command=f"leukoscope-model train --seed {seed}",
        commit="0123456789ab",
        versions={"leukoscope": "0.1.0"},
    )
    if pictures:
        held_out = [cell for cell in made if cell.part != "validation"]
        np.save(run / "pictures.npy", np.stack([_picture(cell.label) for cell in held_out]))
    return run


def _picture(label: str) -> np.ndarray[Any, Any]:
    colours = {"ALL": (90, 60, 160), "AML": (150, 70, 150), "Normal": (110, 80, 190)}
    picture = np.full((32, 32, 3), (235, 215, 220), np.uint8)
    rows, columns = np.mgrid[:32, :32]
    picture[(rows - 16) ** 2 + (columns - 16) ** 2 < 100] = colours[label]
    return picture
