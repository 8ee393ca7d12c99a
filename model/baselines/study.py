"""One baseline from end to end: the run folder of a training, made by another model."""

import time
from pathlib import Path
from typing import Any, Final

from model import run
from model.baselines.baseline import Baseline, BaselineConfig
from model.baselines.catalogue import listed
from model.data.mixture import Mixture
from model.errors import ModelError
from model.runtime import start_tensorflow
from model.training.study import Report, judge, read

BODY: Final = "body.npz"
"""Of VGG-16, ResNet-50 or DenseNet-121 after training, as `--weights` takes them."""


def study(config: BaselineConfig, folder: Path, command: str, report: Report) -> dict[str, Any]:
    """Fit and measure; leaves a run folder as `evaluate` and `compare` read it.

    Args:
        config: of the baseline.
        folder: to make; must not hold anything.
        command: as it was typed, for the record.
        report: is told how far it is.

    Returns:
        The facts that stand in `facts.json`.

    Raises:
        ModelError: the data cannot be read or do not suffice, `folder` is taken, there is no such
            baseline or no such weights.
    """
    _check(config)
    run.new_run(folder)
    return study_of(read(config.cells, report), config, folder, command, report)


def study_of(
    mixture: Mixture, config: BaselineConfig, folder: Path, command: str, report: Report
) -> dict[str, Any]:
    """The same with cells that were read before, in a folder that is there."""
    _check(config)
    entry = listed(config.name)
    (folder / "config.json").write_text(config.model_dump_json(indent=2) + "\n")
    run.save_split(folder, mixture)
    start_tensorflow(config.cells.seed, config.cells.threads)
    began = time.monotonic()
    baseline = entry.make(config)
    train, validation = mixture.part("train"), mixture.part("validation")
    baseline.fit(train, validation, lambda *how: report(f"fitting {entry.title}", *how))
    seconds = round(time.monotonic() - began, 1)
    _save_body(baseline, folder)
    facts = {
        **judge(mixture, baseline.logits, config.cells, folder),
        "title": config.cells.title or entry.title,
        "model": config.name,
        "weights": baseline.origin,
        "seed": config.cells.seed,
        "epochs": config.epochs,
        "training_seconds": seconds,
        "command": command,
        "data_digest": mixture.digest,
        "commit": run.commit(),
        "versions": run.versions(),
    }
    run.save_facts(folder, facts)
    return facts


def _check(config: BaselineConfig) -> None:
    if config.weights and not listed(config.name).pretrained:
        raise ModelError(
            f"{config.name} takes no --weights: it has no network of keras.applications"
        )


def _save_body(baseline: Baseline, folder: Path) -> None:
    from model.baselines.applications import Application

    if isinstance(baseline, Application):
        baseline.save(folder, BODY)
