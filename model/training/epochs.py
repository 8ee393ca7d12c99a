"""What happens after each epoch: judged, kept, written down. Import after `start_tensorflow`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from model import run
from model.config import TrainingConfig
from model.data.mixture import Mixture
from model.evaluation import calibration
from model.evaluation.measures import balanced_accuracy
from model.training import checkpoint
from model.training.acgan import ACGAN
from model.training.batches import chances
from model.training.looking import look
from model.training.recalibration import recalibrate


@dataclass(frozen=True)
class Epoch:
    """One line of `history.jsonl`."""

    epoch: int
    losses: dict[str, float]
    """Means over the epoch's steps: `class`, `source`, `fooling`."""
    validation_loss: float
    """Weighted log loss, in nats: each pair of source and class counts alike."""
    validation_balanced: float
    """Balanced accuracy."""


Watcher = Callable[[ACGAN, Epoch], None]


class Keeper(keras.callbacks.Callback):  # type: ignore[misc]  # keras ships no types
    """Keeps the best epoch, writes history and checkpoint, stops early and reports progress."""

    def __init__(
        self,
        config: TrainingConfig,
        mixture: Mixture,
        folder: Path,
        told: Callable[[int, int, str], None],
        watchers: Sequence[Watcher],
        done: int,
    ) -> None:
        """Take up after `done` epochs."""
        super().__init__()
        self._config = config
        self._validation = mixture.part("validation")
        self._weights = chances(self._validation)
        self._train = mixture.part("train") if config.recalibrate else None
        self._folder = folder
        self._told = told
        self._watchers = watchers
        self._losses = [line["validation_loss"] for line in run.take_up_history(folder, done)]
        self._word = ""

    @property
    def over(self) -> bool:
        """Whether all epochs are done, or `patience` of them brought nothing better."""
        done = len(self._losses)
        if not done:
            return False
        waited = done - 1 - self._losses.index(min(self._losses))
        return done >= self._config.epochs or 0 < self._config.patience <= waited

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Report how far it is."""
        del logs
        steps = self._config.steps
        done = len(self._losses) * steps + batch + 1
        self._told(done, self._config.epochs * steps, self._word)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Judge by the validation part; the checkpoint comes last, so that it is true."""
        if self._train is not None:
            recalibrate(self.model.averaged, self._train, self._config.batch)
        judged = self._judge(epoch, logs or {})
        if judged.validation_loss < min(self._losses, default=float("inf")):
            run.save_weights(self._folder, self.model.averaged.get_weights())
        self._losses.append(judged.validation_loss)
        self._write(judged)
        for watcher in self._watchers:
            watcher(self.model, judged)
        checkpoint.save(self._folder, self.model, len(self._losses))
        self.model.stop_training = self.over
        self._word = (
            f"validation {judged.validation_balanced:.3f}, log loss {judged.validation_loss:.3f}"
        )

    def _judge(self, epoch: int, losses: dict[str, Any]) -> Epoch:
        logits = look(self.model, self._validation).logits
        labels = self._validation.labels
        probabilities = calibration.softmax(logits, 1.0)
        return Epoch(
            epoch,
            {name: float(value) for name, value in losses.items()},
            calibration.log_loss(probabilities, labels, self._weights),
            balanced_accuracy(labels, logits.argmax(axis=1)),
        )

    def _write(self, judged: Epoch) -> None:
        line = judged.losses | {
            "epoch": judged.epoch,
            "validation_loss": judged.validation_loss,
            "validation_balanced": judged.validation_balanced,
        }
        with (self._folder / run.HISTORY).open("a") as file:
            file.write(json.dumps(line) + "\n")
