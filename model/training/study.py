"""One training from end to end: read, split, fit, calibrate, measure, save."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from model import run
from model.bundle import ood
from model.config import TrainingConfig, load_config, save_config
from model.data.cells import CellSet, CellSource
from model.data.mixture import Mixture, load, mix, sources
from model.data.pictures import PictureSource
from model.data.simulator import SOURCE as SIMULATOR
from model.errors import ModelError
from model.evaluation import calibration
from model.evaluation.border import border_guesses
from model.evaluation.figures import Judged, metrics
from model.evaluation.measures import Numbers
from model.labels import UNKNOWN
from model.runtime import start_tensorflow
from model.training.batches import chances
from model.training.facts import cell_counts, training_facts


class Report(Protocol):
    """Takes progress: a stage's name, steps done, steps in all, a word on how it goes."""

    def __call__(self, stage: str, done: int, total: int, word: str = "") -> None:
        """Called often; must be quick."""
        ...


@dataclass(frozen=True)
class Calibrated:
    """The two numbers chosen on the validation part."""

    temperature: float
    abstain_below: float


def study(config: TrainingConfig, folder: Path, command: str, report: Report) -> dict[str, Any]:
    """Train and measure; leaves a run folder that `export` reads.

    Args:
        config: of the run.
        folder: to make; must not hold anything.
        command: as it was typed, for the record.
        report: is told how far it is.

    Returns:
        The facts that stand in `facts.json`.

    Raises:
        ModelError: the data cannot be read or do not suffice, or `folder` is taken.
    """
    run.new_run(folder)
    save_config(config, folder)
    return study_of(read(config, report), config, folder, command, report)


def study_of(
    mixture: Mixture, config: TrainingConfig, folder: Path, command: str, report: Report
) -> dict[str, Any]:
    """The same with cells that were read before; `folder` holds `config.json`."""
    run.save_split(folder, mixture)
    started = {
        "command": command,
        "data_digest": mixture.digest,
        "commit": run.commit(),
        "versions": run.versions(),
    }
    run.save_start(folder, started)
    return _carried_out(mixture, config, folder, started, report)


def resume(folder: Path, command: str, report: Report) -> dict[str, Any]:
    """Take up a training that was killed, from its last whole epoch.

    On the CPU, with the same versions, its weights in the end are those of one that never was.

    Raises:
        ModelError: it is finished, or its data have changed since.
        OSError: `folder` is no run folder.
    """
    config = load_config(folder)
    if (folder / run.FACTS).exists():
        raise ModelError(f"{folder} is finished: there is nothing to resume")
    return resume_of(read(config, report), config, folder, command, report)


def resume_of(
    mixture: Mixture, config: TrainingConfig, folder: Path, command: str, report: Report
) -> dict[str, Any]:
    """The same with cells that were read before; begins where nothing had begun."""
    started = run.load_start(folder)
    if started is None:
        return study_of(mixture, config, folder, command, report)
    if mixture.digest != started["data_digest"]:
        raise ModelError(
            f"{folder} cannot be resumed: its data have changed since it began (digest "
            f"{mixture.digest[:12]}, was {started['data_digest'][:12]}). Train anew"
        )
    return _carried_out(mixture, config, folder, started | {"resumed": True}, report)


def _carried_out(
    mixture: Mixture, config: TrainingConfig, folder: Path, started: dict[str, Any], report: Report
) -> dict[str, Any]:
    start_tensorflow(config.seed, config.threads, config.gpus)
    from model.training.features import measured
    from model.training.fit import fit
    from model.training.looking import look

    began = time.monotonic()
    model = fit(config, mixture, folder, _stage(report, "training"))
    seconds = round(time.monotonic() - began, 1)
    if config.mode == "acgan":
        run.save_weights(folder, model.generator.get_weights(), run.GENERATOR)
    facts = {
        **judge(mixture, lambda cells: look(model, cells).logits, config, folder),
        **training_facts(config, folder, seconds),
        **started,
    }
    ood.save(folder / run.OOD, measured(model, mixture))
    run.save_facts(folder, facts)
    return facts


def judge(
    mixture: Mixture,
    logits: Callable[[CellSet], Numbers],
    config: TrainingConfig,
    folder: Path,
) -> dict[str, Any]:
    """Calibrate on the validation part and write what any model says of the held-out cells.

    Args:
        mixture: of cells.
        logits: the model: N×labels of N cells, before the temperature.
        config: for its seed and the accuracy aimed at.
        folder: of the run, for validation.csv, predictions.csv, pictures.npy and probe.npy.

    Returns:
        Temperature, threshold, what was trained on, and the figures.
    """
    kept = _measured(mixture)
    cells = mixture.cells.take(kept)
    said = logits(cells)
    inside = mixture.parts[kept] == "validation"
    chosen = calibrate(config, cells.take(inside), said[inside])
    every = Judged(
        cells,
        mixture.parts[kept],
        calibration.softmax(said, chosen.temperature),
        border_guesses(mixture.part("train"), cells, config.seed),
    )
    held_out = every.only(~inside)
    run.save_validation(folder, every.only(inside), said[inside])
    run.save_predictions(folder, held_out)
    run.save_pictures(folder, held_out.cells)
    run.save_probe(folder, held_out.cells, config.seed)
    return _facts(mixture, chosen, held_out)


def read(config: TrainingConfig, report: Report) -> Mixture:
    """Read and split every source of a configuration."""
    return mix(config, read_cells(config, report))


def read_cells(config: TrainingConfig, report: Report) -> list[CellSet]:
    """Read every source of a configuration; what a source has to say stays beside its bar."""
    loaded = []
    for name, source in sources(config):
        stage = f"reading {name}"
        notes = _prepared(source, name, report)
        cells = load(config, source, _stage(report, stage))
        if notes:
            report(stage, len(cells), len(cells), "; ".join(notes))
        loaded.append(cells)
    return loaded


def _prepared(source: CellSource, name: str, report: Report) -> list[str]:
    if not isinstance(source, PictureSource):
        return []
    source.prepare(_stage(report, f"preparing {name}"))
    return source.notes()


def calibrate(config: TrainingConfig, validation: CellSet, logits: Numbers) -> Calibrated:
    """Temperature and abstention threshold, both on the validation part.

    The threshold is chosen on its real cells alone, where there are any: simulated ones are
    easier and would lower it.
    """
    found = calibration.temperature(logits, validation.labels, chances(validation))
    probabilities = calibration.softmax(logits, found)
    real = validation.sources != SIMULATOR
    kept = real if real.any() else ~real
    below = calibration.abstain_below(
        probabilities[kept], validation.labels[kept], config.answered_accuracy
    )
    return Calibrated(found, below)


def _measured(mixture: Mixture) -> npt.NDArray[np.bool_]:
    labelled: npt.NDArray[np.bool_] = mixture.cells.labels != UNKNOWN
    return labelled & np.isin(mixture.parts, ["validation", "test", "outside"])


def _facts(mixture: Mixture, chosen: Calibrated, judged: Judged) -> dict[str, Any]:
    return {
        "temperature": chosen.temperature,
        "abstain_below": chosen.abstain_below,
        "trained_on": cell_counts(mixture),
        "split": mixture.split,
        "split_digest": mixture.split_digest,
        "crossings": asdict(mixture.crossings),
        "metrics": msgspec.to_builtins(metrics(judged, chosen.abstain_below)),
    }


def _stage(report: Report, name: str) -> Callable[..., None]:
    return lambda done, total, word="": report(name, done, total, word)
