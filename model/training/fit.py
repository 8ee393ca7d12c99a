"""Train the AC-GAN (or its discriminator alone). Import only after `start_tensorflow`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from imaging.types import Cells
from model import run
from model.config import TrainingConfig
from model.data.cells import CellSet
from model.data.mixture import Mixture
from model.evaluation import calibration
from model.evaluation.measures import Numbers, balanced_accuracy
from model.training.acgan import ACGAN
from model.training.batches import BalancedBatches, chances


@dataclass(frozen=True)
class Outputs:
    """What the averaged discriminator says of N cells, before the temperature."""

    logits: Numbers
    """N×labels."""
    source: Numbers
    """N logits: real above 0."""


def fit(
    config: TrainingConfig,
    mixture: Mixture,
    folder: Path,
    told: Callable[[int, int, str], None],
) -> ACGAN:
    """Train, keep the epoch of least log loss on the validation part, and return it.

    Args:
        config: of the run.
        mixture: of cells.
        folder: of the run, for weights and `history.jsonl`.
        told: called after each step with steps done, steps in all and a word on how it goes.

    Returns:
        The model, with the averaged weights of the best epoch.
    """
    batches = BalancedBatches(
        mixture.part("train"),
        mixture.part("unlabelled"),
        size=config.batch,
        share=config.unlabelled,
        seed=config.seed,
    )
    model = ACGAN(config)
    keeper = _Keeper(config, mixture.part("validation"), folder, told)
    model.fit(
        batches.endless(),
        epochs=config.epochs,
        steps_per_epoch=config.steps,
        shuffle=False,
        callbacks=[keeper],
        verbose=0,
    )
    model.averaged.set_weights(run.load_weights(folder))
    return model


def look(model: ACGAN, cells: Cells, batch: int = 256) -> Outputs:
    """What the model says of cells, uint8 N×h×w×3."""
    logits, source = [], []
    for start in range(0, len(cells), batch):
        seen = model(cells[start : start + batch])
        logits.append(np.asarray(seen["logits"], np.float64))
        source.append(np.asarray(seen["source"], np.float64))
    return Outputs(np.concatenate(logits), np.concatenate(source))


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Keeps the best epoch, writes the history and reports progress."""

    def __init__(
        self,
        config: TrainingConfig,
        validation: CellSet,
        folder: Path,
        told: Callable[[int, int, str], None],
    ) -> None:
        super().__init__()
        self._config = config
        self._validation = validation
        self._weights = chances(validation)
        self._folder = folder
        self._told = told
        self._least = float("inf")
        self._word = ""
        self._epoch = 0

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        del logs
        total = self._config.epochs * self._config.steps
        self._told(self._epoch * self._config.steps + batch + 1, total, self._word)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        labels = self._validation.labels
        logits = look(self.model, self._validation.cells[:, 0]).logits
        loss = calibration.log_loss(calibration.softmax(logits, 1.0), labels, self._weights)
        accuracy = balanced_accuracy(labels, logits.argmax(axis=1))
        if loss < self._least:
            self._least = loss
            run.save_weights(self._folder, self.model.averaged.get_weights())
        line = {k: float(v) for k, v in (logs or {}).items()}
        line |= {"epoch": epoch, "validation_loss": loss, "validation_balanced": accuracy}
        with (self._folder / "history.jsonl").open("a") as file:
            file.write(json.dumps(line) + "\n")
        self._epoch = epoch + 1
        self._word = f"validation {accuracy:.3f}, log loss {loss:.3f}"
