"""The baselines by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from model.errors import ModelError

if TYPE_CHECKING:
    from model.baselines.applications import Network
    from model.baselines.baseline import Baseline, BaselineConfig

Maker = Callable[["BaselineConfig"], "Baseline"]


@dataclass(frozen=True)
class Listed:
    """A baseline of the catalogue."""

    title: str
    """What reports call it."""
    make: Maker
    """Builds it. Call after `start_tensorflow`."""
    pretrained: bool = False
    """Whether it takes `weights`."""


def listed(name: str) -> Listed:
    """The baseline of a name.

    Raises:
        ModelError: there is none.
    """
    if name not in CATALOGUE:
        raise ModelError(f"there is no baseline {name!r}: it is one of {', '.join(CATALOGUE)}")
    return CATALOGUE[name]


def _application(network: "Network") -> Maker:
    def make(config: "BaselineConfig") -> "Baseline":
        from model.baselines.applications import Application

        return Application(network, config)

    return make


def _deep_svm(network: "Network") -> Maker:
    def make(config: "BaselineConfig") -> "Baseline":
        from model.baselines.deep_svm import DeepSVM

        return DeepSVM(network, config)

    return make


def _cnn(augment: bool) -> Maker:
    def make(config: "BaselineConfig") -> "Baseline":
        from model.baselines.cnn import PlainCNN

        return PlainCNN(config, augment)

    return make


def _histogram(config: "BaselineConfig") -> "Baseline":
    from model.baselines.histogram import HistogramSVM

    return HistogramSVM(config)


def _border(config: "BaselineConfig") -> "Baseline":
    from model.baselines.border import BorderControl

    return BorderControl(config)


CATALOGUE: Final[dict[str, Listed]] = {
    "vgg16": Listed("VGG-16", _application("vgg16"), pretrained=True),
    "resnet50": Listed("ResNet-50", _application("resnet50"), pretrained=True),
    "densenet121": Listed("DenseNet-121", _application("densenet121"), pretrained=True),
    "resnet50-svm": Listed("ResNet-50 + SVM", _deep_svm("resnet50"), pretrained=True),
    "densenet121-svm": Listed("DenseNet-121 + SVM", _deep_svm("densenet121"), pretrained=True),
    "cnn": Listed("plain CNN, augmented", _cnn(augment=True)),
    "cnn-bare": Listed("plain CNN", _cnn(augment=False)),
    "histogram": Listed("colour histogram + HOG + SVM", _histogram),
    "border": Listed("border-only control", _border),
}
