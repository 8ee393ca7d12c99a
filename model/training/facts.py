"""What a run tells of itself beside its figures."""

import json
from pathlib import Path
from typing import Any, Final

from model import run
from model.config import TrainingConfig
from model.data.mixture import Mixture
from model.labels import LABELS

TITLES: Final = {"acgan": "AC-GAN", "plain": "AC-GAN's discriminator trained plainly"}


def training_facts(config: TrainingConfig, folder: Path, seconds: float) -> dict[str, Any]:
    """What became of the epochs; `seconds` of a resumed run are those since it was resumed."""
    history = [json.loads(line) for line in (folder / run.HISTORY).read_text().splitlines()]
    losses = [line["validation_loss"] for line in history]
    return {
        "title": config.title or TITLES[config.mode],
        "seed": config.seed,
        "epochs": len(losses),
        "best_epoch": losses.index(min(losses)) + 1,
        "stopped_early": len(losses) < config.epochs,
        "training_seconds": seconds,
    }


def cell_counts(mixture: Mixture) -> dict[str, int]:
    """Training cells per source and class, such as `deepapl AML: 664`."""
    train, unlabelled = mixture.part("train"), mixture.part("unlabelled")
    names = [
        f"{source} {LABELS[label]}"
        for source, label in zip(train.sources, train.labels, strict=True)
    ]
    names += [f"{source} unlabelled" for source in unlabelled.sources]
    return {name: names.count(name) for name in sorted(set(names))}
