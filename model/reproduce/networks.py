"""The networks of a comparison: how each is made, how long it wants, what it costs."""

from dataclasses import dataclass
from typing import Any, Final

from model.baselines.baseline import BaselineConfig
from model.config import TrainingConfig
from model.presets import Mode, Preset, preset
from model.reproduce.settings import Reproduction

UNIT: Final = 32
"""Side of the input that costs are of, in pixels."""

SMALL: Final[dict[str, Any]] = {
    "widths": (8, 8, 8),
    "noise": 8,
    "batch": 16,
    "fakes": 4,
    "steps": 0,
    "epochs": 1,
}


@dataclass(frozen=True)
class Network:
    """One line of the comparison."""

    name: str
    title: str
    epochs: int
    """Passes over the training part that it wants."""
    cost: float
    """CPU milliseconds for a training cell and pass at UNIT pixels, on one thread."""
    start: float = 8.0
    """CPU seconds of a run beside its passes: building, judging the held-out cells."""
    share: float = 0.1
    """Of the whole budget that it may take with one seed."""
    side: int = 0
    """Least side that its input is enlarged to, in pixels."""
    least: int = 1
    """Passes below which it is not run at all."""
    recipe: tuple[Preset, Mode] | None = None
    """Of the AC-GAN; None for a baseline of the catalogue."""
    body: str = ""
    """The network whose features it takes, trained just before it."""


NETWORKS: Final = (
    Network(
        "acgan",
        "AC-GAN, our recipe",
        epochs=40,
        cost=2.0,
        start=14,
        share=0.13,
        recipe=("reference", "acgan"),
    ),
    Network(
        "discriminator",
        "AC-GAN's discriminator trained plainly, our recipe",
        epochs=40,
        cost=0.8,
        share=0.07,
        recipe=("reference", "plain"),
    ),
    Network(
        "acgan-paper",
        "AC-GAN, the paper's, supervised",
        epochs=50,
        cost=2.2,
        start=14,
        share=0.16,
        recipe=("paper", "supervised"),
    ),
    Network(
        "acgan-paper-semi",
        "AC-GAN, the paper's, semi-supervised",
        epochs=50,
        cost=2.2,
        start=14,
        share=0.16,
        recipe=("paper", "semi"),
    ),
    Network(
        "discriminator-paper",
        "AC-GAN's discriminator trained plainly, the paper's",
        epochs=50,
        cost=1.0,
        share=0.08,
        recipe=("paper", "plain"),
    ),
    Network("vgg16", "VGG-16", epochs=20, cost=37, start=15, least=3, side=UNIT),
    Network("resnet50", "ResNet-50", epochs=30, cost=23, start=30, least=4, side=UNIT),
    Network("densenet121", "DenseNet-121", epochs=30, cost=13, start=50, least=4, side=UNIT),
    Network(
        "resnet50-svm", "ResNet-50 + SVM", epochs=1, cost=4, start=12, side=UNIT, body="resnet50"
    ),
    Network(
        "densenet121-svm",
        "DenseNet-121 + SVM",
        epochs=1,
        cost=4,
        start=20,
        side=UNIT,
        body="densenet121",
    ),
    Network("cnn", "plain CNN, augmented", epochs=60, cost=0.9, start=4, share=0.08),
    Network("cnn-bare", "plain CNN", epochs=40, cost=0.8, start=4, share=0.06),
    Network("histogram", "colour histogram + HOG + SVM", epochs=1, cost=5, start=3, share=0.03),
    Network("border", "border-only control", epochs=1, cost=0.5, start=2, share=0.01),
)
"""The first is what the others are tested against on the page."""

PLAIN: Final = {
    "acgan": "discriminator",
    "acgan-paper": "discriminator-paper",
    "acgan-paper-semi": "discriminator-paper",
}
"""Each AC-GAN and its own discriminator trained plainly."""


def training(
    network: Network, settings: Reproduction, seed: int, split: str, epochs: int
) -> TrainingConfig:
    """Configuration of an AC-GAN or its discriminator, on the cells that all the others see."""
    recipe = network.recipe or ("reference", "acgan")
    told = {"title": network.title, "epochs": epochs, "steps": 0}
    fields = preset(*recipe) | _same(settings, seed, split) | told
    if settings.small:
        fields |= SMALL
    return TrainingConfig.model_validate(fields)


def baseline(
    network: Network, settings: Reproduction, seed: int, split: str, epochs: int, body: str
) -> BaselineConfig:
    """Configuration of a baseline.

    Args:
        network: which.
        settings: of the reproduction.
        seed: of weights and batches.
        split: as `--split` takes it.
        epochs: passes.
        body: file with the weights of the network whose features it takes, or empty.
    """
    given = settings.first_weights(network.body or network.name)
    title = network.title
    if network.name in ("vgg16", "resnet50", "densenet121") or network.body:
        title += " (ImageNet weights)" if given else " (from scratch)"
    cells = _same(settings, seed, split) | {"title": title}
    return BaselineConfig(
        name=network.name,
        cells=TrainingConfig.model_validate(cells),
        epochs=1 if settings.small else epochs,
        batch=16 if settings.small else 32,
        weights=given or body,
    )


def _same(settings: Reproduction, seed: int, split: str) -> dict[str, Any]:
    read = settings.cells().model_dump(exclude_unset=True)
    return read | {
        "seed": seed,
        "split": split,
        "split_seed": SPLIT_SEEDS + seed,
    }


SPLIT_SEEDS: Final = 2348
"""The split of seed N is drawn by this and N."""
