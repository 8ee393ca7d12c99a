"""What a search may choose: the shape of the network, and how it learns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from model.config import TrainingConfig

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

WIDTHS: Final[Mapping[str, tuple[int, ...]]] = {
    "16-24-48-48": (16, 24, 48, 48),
    "32-64-96": (32, 64, 96),
    "32-48-96-96": (32, 48, 96, 96),
    "32-48-64-96-96": (32, 48, 64, 96, 96),
    "48-64-128-128": (48, 64, 128, 128),
}
"""Channels of the stages by name: thinner, shallower, as now, deeper, wider."""


@dataclass(frozen=True)
class Space:
    """The choices. What is not here stays as the base configuration has it."""

    widths: Mapping[str, tuple[int, ...]]
    sizes: tuple[int, ...] = (28, 48, 64)
    """Sides of the input; the cells are cut anew for each."""

    def suggest(self, trial: "BaseTrial", base: TrainingConfig) -> TrainingConfig:
        """The configuration of a trial.

        The adversarial choices are left out where the base trains plainly.
        """
        chosen: dict[str, Any] = {
            "widths": self.widths[trial.suggest_categorical("widths", sorted(self.widths))],
            "kernel": trial.suggest_categorical("kernel", [3, 5]),
            "size": trial.suggest_categorical("size", list(self.sizes)),
            "normalisation": trial.suggest_categorical(
                "normalisation", ["none", "group", "spectral"]
            ),
            "dropout": trial.suggest_float("dropout", 0.0, 0.4),
            "rate": trial.suggest_float("rate", 3e-4, 3e-3, log=True),
            "colour": trial.suggest_float("colour", 0.0, 1.5),
            "label_smoothing": trial.suggest_float("label_smoothing", 0.0, 0.15),
            "average": trial.suggest_categorical("average", [0.0, 0.99, 0.995, 0.998]),
        }
        if base.mode == "acgan":
            chosen |= {
                "source_weight": trial.suggest_float("source_weight", 0.05, 1.0, log=True),
                "generator_rate": trial.suggest_float("generator_rate", 1e-4, 2e-3, log=True),
            }
        return TrainingConfig.model_validate(base.model_dump() | chosen)


REFERENCE: Final = Space(WIDTHS)
