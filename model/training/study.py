"""One training from end to end: read, split, fit, calibrate, measure, save."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from model import run
from model.config import TrainingConfig, save_config
from model.data.cells import CellSet
from model.data.mixture import Mixture, load, mix, sources
from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation import calibration
from model.evaluation.border import border_guesses
from model.evaluation.figures import Judged, metrics
from model.evaluation.measures import Numbers
from model.labels import LABELS, UNKNOWN
from model.runtime import start_tensorflow
from model.training.batches import chances


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
    mixture = read(config, report)
    run.save_split(folder, mixture)
    start_tensorflow(config.seed, config.threads)
    from model.training import fit

    model = fit.fit(config, mixture, folder, _stage(report, "training"))
    validation = mixture.part("validation")
    chosen = calibrate(config, validation, fit.look(model, validation.cells[:, 0]).logits)
    held_out = mixture.cells.take(_measured(mixture))
    logits = fit.look(model, held_out.cells[:, 0]).logits
    judged = Judged(
        held_out,
        mixture.parts[_measured(mixture)],
        calibration.softmax(logits, chosen.temperature),
        border_guesses(mixture.part("train"), held_out, config.seed),
    )
    run.save_predictions(folder, judged)
    run.save_probe(folder, held_out, config.seed)
    facts = _facts(mixture, chosen, judged, command)
    run.save_facts(folder, facts)
    return facts


def read(config: TrainingConfig, report: Report) -> Mixture:
    """Read and split every source of a configuration."""
    loaded = []
    for name, source in sources(config):
        told = _stage(report, f"reading {name}")
        loaded.append(load(config, source, told))
    return mix(config, loaded)


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
    return labelled & np.isin(mixture.parts, ["test", "outside"])


def _facts(mixture: Mixture, chosen: Calibrated, judged: Judged, command: str) -> dict[str, Any]:
    return {
        "temperature": chosen.temperature,
        "abstain_below": chosen.abstain_below,
        "data_digest": mixture.digest,
        "trained_on": _counts(mixture),
        "metrics": msgspec.to_builtins(metrics(judged, chosen.abstain_below)),
        "command": command,
        "commit": run.commit(),
        "versions": run.versions(),
    }


def _counts(mixture: Mixture) -> dict[str, int]:
    """Training cells per source and class, such as `deepapl AML: 664`."""
    train, unlabelled = mixture.part("train"), mixture.part("unlabelled")
    names = [
        f"{source} {LABELS[label]}"
        for source, label in zip(train.sources, train.labels, strict=True)
    ]
    names += [f"{source} unlabelled" for source in unlabelled.sources]
    return {name: names.count(name) for name in sorted(set(names))}


def _stage(report: Report, name: str) -> Callable[..., None]:
    return lambda done, total, word="": report(name, done, total, word)
