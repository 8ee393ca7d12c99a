"""What every baseline is, and every choice of one."""

from collections.abc import Callable
from typing import Annotated, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from model.config import Positive, TrainingConfig
from model.data.cells import CellSet
from model.evaluation.measures import Numbers

ABSENT: Final = -1000.0
"""Logit of a class that no training cell shows: its probability is 0."""

Told = Callable[[int, int, str], None]
"""Called with steps done, steps in all and a word on how it goes."""


class BaselineConfig(BaseModel):
    """Which baseline, and how it is fitted. Same configuration and data: same result (CPU)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """In the catalogue, such as `densenet121`."""
    cells: TrainingConfig
    """Data, split, size, cut, seeds and threads; its other fields are of the AC-GAN alone."""
    epochs: Positive = 20
    """Passes over the training part; the one of least log loss on the validation part is kept."""
    batch: Annotated[int, Field(ge=8)] = 32
    rate: Annotated[float, Field(ge=0)] = 0.0
    """Peak learning rate (Adam, cosine); 0 is the baseline's own."""
    augment: bool = True
    """Whether networks see cells augmented as the AC-GAN does."""
    side: Annotated[int, Field(ge=0)] = 0
    """Pixels to which VGG-16, ResNet-50 and DenseNet-121 enlarge their input; 0 is the least."""
    weights: str = ""
    """Of VGG-16, ResNet-50 and DenseNet-121: a file, `imagenet` to download, or from scratch."""


class Baseline(Protocol):
    """A classifier of cells."""

    origin: str
    """Where its first weights came from, in a few words for tables; known once it was fitted."""

    def fit(self, train: CellSet, validation: CellSet, told: Told) -> None:
        """Learn from the training part; choose by the validation part alone.

        Raises:
            ModelError: weights cannot be had, or the cells do not suffice.
        """
        ...

    def logits(self, cells: CellSet) -> Numbers:
        """What it says of N cells: N×labels logits or log-probabilities, before a temperature.

        A class that the training part did not show has ABSENT.
        """
        ...
