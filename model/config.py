"""Every choice of a training, in one place, saved beside its result."""

from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from imaging.cells import FINDER_ID
from imaging.crop import PREPROCESSING_ID

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]

GROUPS: Final = 8
"""Of channels, in group normalisation."""


class TrainingConfig(BaseModel):
    """What is trained, on what, and how. Same configuration and data: same weights (CPU)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    """What reports call the model; runs of one title that differ in seed become one line there."""
    data: tuple[str, ...] = ()
    """Sources as typed, such as `index:../shared/data/index.csv`."""
    unlabelled_data: tuple[str, ...] = ()
    """Sources, as typed, whose labels are not looked at: they train the source head."""
    class_map: tuple[str, ...] = ()
    """FROM=TO: what a class or cell type of the data is to us; FROM= leaves it out."""
    simulator: Annotated[int, Field(ge=0)] = 0
    """Cells to cut from simulated fields."""
    leave_out: tuple[str, ...] = ()
    """Sources kept out of training and shown as outside, beside `lmu` and `cnmc`."""
    unlabel: tuple[str, ...] = ()
    """Sources whose labels measure and teach nothing: their training cells train the source head.
    One that shows a single class would teach that its stain is that class."""
    mode: Literal["acgan", "plain"] = "acgan"
    """`plain` trains the same discriminator by its class head alone: the control."""

    seed: Annotated[int, Field(ge=0)] = 1
    """Of weights, batches and augmentation."""
    split: str = "group"
    """`group`, `kfold:I/K`, `leave-out:SOURCE`, `random` (the paper's; leaks where cells share a
    patient, slide or parent image), or FILE.csv, such as the `split.csv` of another run."""
    split_seed: Annotated[int, Field(ge=0)] = 2348
    """Of the split alone, so that seeds compare on one split."""
    threads: Positive = 2
    gpus: Annotated[int, Field(ge=0)] = 0
    """Trained on by MirroredStrategy; 0 is the CPU, where runs repeat to the bit."""
    tensorboard: bool = False
    """Write losses, figures and generated cells of each epoch to RUN/tensorboard."""

    size: Annotated[int, Field(ge=28, multiple_of=4)] = 64
    """Side of the input, in pixels."""
    cut: Literal["found", "whole"] = "found"
    """`found` cuts around the found cell, as the cloud does; `whole` resizes the picture."""
    preprocessing: str = PREPROCESSING_ID
    finder: str = FINDER_ID
    """What found the boxes that the cells were cut around."""
    variants: Positive = 4
    """Cuts kept of each cell: the plain one, then jittered, turned, rescaled, re-encoded ones."""

    epochs: Positive = 24
    steps: Annotated[int, Field(ge=0)] = 150
    """Batches in an epoch; 0 is one pass over the training part."""
    patience: Annotated[int, Field(ge=0)] = 0
    """Epochs without a lower log loss on the validation part that end the training; 0: never."""
    sampling: Literal["balanced", "natural"] = "balanced"
    """`balanced` draws each pair of source and class alike; `natural` shuffles, pass after pass."""
    batch: Annotated[int, Field(ge=8)] = 64
    fakes: Positive = 16
    """Generated cells for each batch."""
    unlabelled: Share = 0.125
    """Share of a batch that has no label, where there are such cells."""

    widths: Annotated[tuple[Positive, ...], Field(min_length=2, max_length=6)] = (
        24,
        48,
        64,
        96,
        128,
    )
    """Channels of the discriminator's stages; all but the first must be multiples of 8."""
    standardise: bool = False
    """Bring each cell's optical density to mean 0 and deviation 1 inside the network."""
    kernel: Literal[3, 5] = 3
    """Side of the convolutions after the first, in pixels."""
    normalisation: Literal["none", "group", "batch", "spectral"] = "group"
    """In the discriminator. With `batch`, real and generated cells pass in batches of their own."""
    recalibrate: bool = False
    """With `batch`: take the moving statistics anew from real training cells after each epoch."""
    noise: Positive = 64
    """Length of the generator's noise vector."""
    rate: Annotated[float, Field(gt=0)] = 1e-3
    """Peak learning rate of the discriminator (Adam)."""
    generator_rate: Annotated[float, Field(gt=0)] = 5e-4
    schedule: Literal["cosine", "constant"] = "cosine"
    """Of both rates."""
    beta: Share = 0.5
    """First moment decay of both optimisers."""
    source_weight: Annotated[float, Field(ge=0)] = 0.25
    """Of the source loss in the discriminator's loss, beside the class loss at 1."""
    fake_class_weight: Annotated[float, Field(ge=0)] = 0.0
    """Of the class loss on generated cells; 0 is the paper's switch, real cells only."""
    maker_loss: Literal["fooling", "paper"] = "fooling"
    """`paper` minimises log P(fake), which fades where the discriminator is sure; `fooling`
    maximises log P(real)."""
    diversity: Annotated[float, Field(ge=0)] = 0.1
    """Of the loss that wants cells of one class to differ as their noise does; 0: none."""
    label_smoothing: Share = 0.05
    source_smoothing: Share = 0.1
    """One-sided: the target of real cells is 1 minus this."""
    augment: bool = True
    """Whether cells are augmented in the training step."""
    augment_fakes: bool = True
    """Whether generated cells are, as real ones are."""
    colour: Annotated[float, Field(ge=0)] = 1.0
    """Strength of stain and illumination augmentation; 1 is as in model/training/augment.py."""
    exchange: Share = 0.5
    """Share of cells that take on, in part, the stain of another cell of their batch."""
    blur: Annotated[float, Field(ge=0, le=2)] = 2.0
    """Most blur of an augmented cell: 1 is a mean of 3×3 pixels, 2 a sigma of 1.8 pixels."""
    dropout: Share = 0.2
    average: Share = 0.995
    """Decay per step of the weights' moving average, which is what is exported; 0: no average."""

    answered_accuracy: Share = 0.97
    """What the abstention threshold aims at on the validation part."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.normalisation == "group" and any(width % GROUPS for width in self.widths[1:]):
            raise ValueError(
                f"widths {self.widths}: all but the first must be multiples of {GROUPS} for group "
                "normalisation"
            )
        if self.recalibrate and self.normalisation != "batch":
            raise ValueError("recalibrate needs normalisation=batch: nothing else has statistics")
        return self


def save_config(config: TrainingConfig, run: Path) -> None:
    """Write `config.json` into the run folder."""
    (run / "config.json").write_text(config.model_dump_json(indent=2) + "\n")


def load_config(run: Path) -> TrainingConfig:
    """Read `config.json` of a run folder.

    Raises:
        OSError: there is none.
        pydantic.ValidationError: it is not one, or from another version of leukoscope.
    """
    return TrainingConfig.model_validate_json((run / "config.json").read_text())
