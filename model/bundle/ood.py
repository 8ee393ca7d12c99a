"""Out of distribution: scores that tell strangers from cells like those trained on."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation.measures import Numbers

KEPT: Final = (0.95, 0.98)
"""Shares of the validation cells at which detection is told."""

KEEP: Final = 0.98
"""Share of the validation cells below the exported threshold: 2 % of good cells are given up."""

EXPORTED: Final = "mahalanobis"
"""The score that becomes the graph's output `ood`: the best of those compared, see decision 013."""

Names = npt.NDArray[np.str_]


@dataclass(frozen=True)
class Seen:
    """What the discriminator says of N cells, before the temperature."""

    features: Numbers
    """N×channels, averaged over the image."""
    logits: Numbers
    """N×labels."""
    source: Numbers
    """N logits: real above 0."""


@dataclass(frozen=True)
class Ruler:
    """Measures how far features lie from those trained on (Lee et al. 2018).

    Distance of Mahalanobis to the nearest centre, with one covariance for all.
    """

    whitening: Numbers
    """Channels×channels: whitened features have covariance 1 around their centre."""
    centres: Numbers
    """Groups×channels, whitened."""

    def distance(self, features: Numbers) -> Numbers:
        """To the nearest centre, N values, 0 or more."""
        whitened = features @ self.whitening
        squares = ((whitened[:, None] - self.centres) ** 2).sum(axis=2)
        nearest: Numbers = np.sqrt(squares.min(axis=1))
        return nearest


def fit_ruler(features: Numbers, groups: Names) -> Ruler:
    """A centre for each group of training cells, such as a class of a source.

    The covariance within groups is shrunk after Ledoit and Wolf 2004, so that few cells do.
    """
    from sklearn.covariance import LedoitWolf

    names = np.unique(groups)
    centres = np.stack([features[groups == name].mean(axis=0) for name in names])
    inside = features - centres[np.searchsorted(names, groups)]
    precision = LedoitWolf(assume_centered=True).fit(inside).precision_
    whitening = np.linalg.cholesky(precision)
    return Ruler(whitening, centres @ whitening)


def groups(sources: Names, labels: npt.NDArray[np.int64]) -> Names:
    """The centres' groups: each class of each source."""
    return np.array([f"{source} {label}" for source, label in zip(sources, labels, strict=True)])


@dataclass(frozen=True)
class Measured:
    """What a run keeps for the export: `ood.npz`."""

    ruler: Ruler
    """Of the training cells."""
    validation: Seen
    sources: Names
    """Of the validation cells."""

    def threshold(self, keep: float = KEEP) -> float:
        """The distance below which lies the share `keep` of the validation cells.

        Of the real and of the simulated ones, whichever ask for the larger.
        """
        distances = self.ruler.distance(self.validation.features)
        drawn = self.sources == SIMULATOR
        some = [distances[which] for which in (drawn, ~drawn) if which.any()]
        return max(threshold(one, keep) for one in some)


def save(path: Path, measured: Measured) -> None:
    """Write `ood.npz`."""
    ruler, seen = measured.ruler, measured.validation
    np.savez(
        path,
        allow_pickle=False,
        whitening=ruler.whitening,
        centres=ruler.centres,
        features=seen.features.astype(np.float32),
        logits=seen.logits.astype(np.float32),
        source=seen.source.astype(np.float32),
        sources=measured.sources,
    )


def load(path: Path) -> Measured | None:
    """Read `ood.npz`; None where a run has none, being older or of another kind."""
    if not path.exists():
        return None
    with np.load(path) as file:
        kept = {name: file[name] for name in file.files}
    seen = Seen(*(kept[name].astype(np.float64) for name in ("features", "logits", "source")))
    return Measured(Ruler(kept["whitening"], kept["centres"]), seen, kept["sources"])


def scores(seen: Seen, ruler: Ruler, temperature: float) -> dict[str, Numbers]:
    """Each candidate's N scores: the higher, the stranger."""
    from scipy.special import logsumexp, softmax

    logits = seen.logits / temperature
    return {
        "mahalanobis": ruler.distance(seen.features),
        "energy": -logsumexp(logits, axis=1),
        "probability": -softmax(logits, axis=1).max(axis=1),
        "discriminator": -seen.source,
    }


class Detection(msgspec.Struct, frozen=True):
    """How well a score tells one kind of stranger from held-out cells."""

    score: str
    strangers: str
    n: int
    auroc: float
    detected: dict[str, float]
    """Share found at each share of validation cells kept, such as `0.98`."""


def threshold(validation: Numbers, keep: float = KEEP) -> float:
    """The score below which lies the share `keep` of validation cells."""
    return float(np.quantile(validation, keep))


def detections(
    validation: dict[str, Numbers],
    held_out: dict[str, Numbers],
    strange: Iterable[tuple[str, dict[str, Numbers]]],
) -> list[Detection]:
    """Measure every score on every kind of stranger.

    Args:
        validation: scores of the cells that the thresholds are chosen on.
        held_out: scores of the cells that the strangers are told from.
        strange: kinds, with their scores.
    """
    from sklearn.metrics import roc_auc_score

    told = []
    for kind, given in strange:
        for name, values in given.items():
            both = np.concatenate([held_out[name], values])
            which = np.arange(len(both)) >= len(held_out[name])
            found = {
                str(keep): round(float((values > threshold(validation[name], keep)).mean()), 4)
                for keep in KEPT
            }
            auroc = round(float(roc_auc_score(which, both)), 4)
            told.append(Detection(name, kind, len(values), auroc, found))
    return told


class Kept(msgspec.Struct, frozen=True):
    """Cells of one source that are not taken for strangers."""

    source: str
    share: float
    n: int


def kept(values: npt.NDArray[np.float32], sources: Names, above: float) -> list[Kept]:
    """Share of each source's cells at or below the threshold."""
    found = []
    for source in np.unique(sources):
        some = values[sources == source]
        share = round(float((some <= np.float32(above)).mean()), 4)
        found.append(Kept(str(source), share, len(some)))
    return found
