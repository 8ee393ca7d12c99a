"""Every choice of a reproduction."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from model.config import Positive, TrainingConfig
from model.errors import ModelError


class Reproduction(BaseModel):
    """On which cells, how large, how often. Same settings and data: same plan, same results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: tuple[str, ...]
    """Sources as typed, such as `all-idb:DIR`."""
    aml: tuple[str, ...] = ()
    """More sources, of which AML cells are taken: a folder of pictures, or KIND:WHERE."""
    unlabelled: tuple[str, ...] = ()
    """Folders or sources for the source head of the semi-supervised AC-GAN."""
    simulator: Annotated[int, Field(ge=0)] = 0
    """Simulated cells, for the experiment with three classes alone."""
    class_map: tuple[str, ...] = ()
    size: Annotated[int, Field(ge=28, multiple_of=4)] = 28
    """Side of the input of every network, in pixels."""
    cut: Literal["found", "whole"] = "whole"
    """`whole` is the paper's: pictures resized, not cut around the cell."""
    at_most: Annotated[int, Field(ge=0)] = 0
    """Cells of an experiment, drawn with equal shares of each source and class; 0: all."""
    seeds: Positive = 5
    """Of weights, batches and split: each seed has a split of its own."""
    budget: Annotated[float, Field(ge=0)] = 0.0
    """Minutes in all; passes and seeds are cut to fit. 0: no limit."""
    workers: Positive = 2
    """Trainings at a time, of one thread each; the results do not depend on it."""
    small: bool = False
    """Tiny networks and a pass each: shows that all of it runs, and nothing else."""
    weights: tuple[str, ...] = ()
    """NAME=FILE or NAME=imagenet, such as `densenet121=notop.h5`; others begin from scratch."""

    def cells(self) -> TrainingConfig:
        """How every source is read and cut."""
        return TrainingConfig(
            data=self.data,
            class_map=self.class_map,
            unlabelled_data=self.unlabelled,
            simulator=self.simulator,
            size=self.size,
            cut=self.cut,
            variants=1,
            threads=1,
        )

    def first_weights(self, network: str) -> str:
        """A file, `imagenet`, or empty: from scratch.

        Raises:
            ModelError: an entry of `weights` is no NAME=FILE.
        """
        for entry in self.weights:
            name, equals, where = entry.partition("=")
            if not (equals and where):
                raise ModelError(f"--weights {entry!r} is not NAME=FILE or NAME=imagenet")
            if name == network:
                return where
        return ""
