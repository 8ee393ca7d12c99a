"""Batches in which class does not follow source more than it must."""

import math
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from model.config import TrainingConfig
from model.data.cells import CellSet
from model.data.mixture import Mixture
from model.labels import UNKNOWN

Batch = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]
Rows = npt.NDArray[np.int64]


class Batches(ABC):
    """Draws batches by a pure function of seed and step, so that a training can be taken up.

    A cell comes as any of its variants. Unlabelled cells come last in a batch.
    """

    def __init__(
        self, labelled: CellSet, unlabelled: CellSet, *, size: int, share: float, seed: int
    ) -> None:
        """See the class.

        Args:
            labelled: to draw from.
            unlabelled: for the source head, may be empty.
            size: cells of a batch.
            share: of unlabelled cells in a batch, where there are any.
            seed: of all draws.
        """
        self._labelled = labelled
        self._unlabelled = unlabelled
        self._few = round(share * size) if len(unlabelled) else 0
        self._many = size - self._few
        self._seed = seed

    @property
    def one_pass(self) -> int:
        """Batches in which as many labelled cells are seen as there are."""
        return math.ceil(len(self._labelled) / self._many)

    def batch(self, step: int) -> Batch:
        """The batch of a step: uint8 N×h×w×3, and int32 N labels with UNKNOWN last."""
        draw = np.random.default_rng([self._seed, step])
        chosen = self._chosen(step, draw)
        others = draw.integers(0, max(1, len(self._unlabelled)), self._few)
        cells = [_variants(self._labelled, chosen, draw)]
        if self._few:
            cells.append(_variants(self._unlabelled, others, draw))
        labels = np.concatenate([self._labelled.labels[chosen], np.full(self._few, UNKNOWN)])
        return np.concatenate(cells), labels.astype(np.int32)

    @abstractmethod
    def _chosen(self, step: int, draw: np.random.Generator) -> Rows:
        """Rows of the labelled cells of a step."""


class BalancedBatches(Batches):
    """Each pair of source and class is as likely as another."""

    def _chosen(self, step: int, draw: np.random.Generator) -> Rows:
        del step
        return draw.choice(len(self._labelled), self._many, p=self._chances)

    @cached_property
    def _chances(self) -> npt.NDArray[np.float64]:
        return chances(self._labelled)


class NaturalBatches(Batches):
    """As the cells are: shuffled, each once, then shuffled anew. A pass ends with a short batch."""

    def _chosen(self, step: int, draw: np.random.Generator) -> Rows:
        del draw
        number, place = divmod(step, self.one_pass)
        shuffled = np.random.default_rng([self._seed, number, 1]).permutation(len(self._labelled))
        return shuffled[place * self._many : (place + 1) * self._many]


KINDS: Final = {"balanced": BalancedBatches, "natural": NaturalBatches}


def batches(config: TrainingConfig, mixture: Mixture) -> Batches:
    """Of the training part, as a configuration wants them sampled."""
    return KINDS[config.sampling](
        mixture.part("train"),
        mixture.part("unlabelled"),
        size=config.batch,
        share=config.unlabelled,
        seed=config.seed,
    )


def chances(cells: CellSet) -> npt.NDArray[np.float64]:
    """Chance of each cell, N summing to 1: each pair of source and class is as likely as another.

    So within a source every class it shows is equally likely, and the source alone tells no more
    than which classes it has.
    """
    weights = np.zeros(len(cells))
    for source in np.unique(cells.sources):
        for label in np.unique(cells.labels[cells.sources == source]):
            inside = (cells.labels == label) & (cells.sources == source)
            weights[inside] = 1 / inside.sum()
    normed: npt.NDArray[np.float64] = weights / weights.sum()
    return normed


def _variants(cells: CellSet, chosen: Rows, draw: np.random.Generator) -> npt.NDArray[np.uint8]:
    which = draw.integers(0, cells.cells.shape[1], len(chosen))
    picked: npt.NDArray[np.uint8] = cells.cells[chosen, which]
    return picked
