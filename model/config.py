"""Every choice of a training, in one place, saved beside its result."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from imaging.cells import FINDER_ID
from imaging.crop import PREPROCESSING_ID

Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class TrainingConfig(BaseModel):
    """What is trained, on what, and how. Same configuration and data: same weights (CPU)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: tuple[str, ...] = ()
    """Sources as typed, such as `index:../shared/data/index.csv`."""
    simulator: Annotated[int, Field(ge=0)] = 0
    """Cells to cut from simulated fields."""
    leave_out: tuple[str, ...] = ()
    """Sources kept out of training and shown as outside, beside `lmu` and `cnmc`."""
    mode: Literal["acgan", "plain"] = "acgan"
    """`plain` trains the same discriminator by its class head alone: the control."""

    seed: Annotated[int, Field(ge=0)] = 1
    """Of weights, batches and augmentation."""
    split_seed: Annotated[int, Field(ge=0)] = 2348
    """Of the split alone, so that seeds compare on one split."""
    threads: Positive = 2

    size: Annotated[int, Field(ge=16, multiple_of=16)] = 64
    """Side of the input, in pixels."""
    preprocessing: str = PREPROCESSING_ID
    finder: str = FINDER_ID
    """What found the boxes that the cells were cut around."""
    variants: Positive = 4
    """Cuts kept of each cell: the plain one, then jittered, turned, rescaled, re-encoded ones."""

    epochs: Positive = 24
    steps: Positive = 150
    """Batches in an epoch."""
    batch: Annotated[int, Field(ge=8)] = 64
    fakes: Positive = 32
    """Generated cells for each batch."""
    unlabelled: Share = 0.125
    """Share of a batch that has no label, where there are such cells."""

    widths: tuple[Positive, Positive, Positive, Positive] = (32, 48, 96, 96)
    """Channels of the discriminator's four stages; the last three must be multiples of 8."""
    noise: Positive = 64
    """Length of the generator's noise vector."""
    rate: Annotated[float, Field(gt=0)] = 1e-3
    """Peak learning rate of the discriminator (Adam), falling to zero by a cosine."""
    generator_rate: Annotated[float, Field(gt=0)] = 5e-4
    beta: Share = 0.5
    """First moment decay of both optimisers."""
    source_weight: Annotated[float, Field(ge=0)] = 0.25
    """Of the source loss in the discriminator's loss, beside the class loss at 1."""
    fake_class_weight: Annotated[float, Field(ge=0)] = 0.0
    """Of the class loss on generated cells; 0 is the paper's switch, real cells only."""
    label_smoothing: Share = 0.05
    source_smoothing: Share = 0.1
    """One-sided: the target of real cells is 1 minus this."""
    colour: Annotated[float, Field(ge=0)] = 1.0
    """Strength of stain and illumination augmentation; 1 is as in model/training/augment.py."""
    dropout: Share = 0.2
    average: Share = 0.995
    """Decay per step of the weights' moving average, which is what is exported."""

    answered_accuracy: Share = 0.97
    """What the abstention threshold aims at on the validation part."""


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
