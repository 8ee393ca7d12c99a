"""Out of distribution: scores that tell strangers from cells like those trained on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from model.data.simulator import SOURCE as SIMULATOR
from model.evaluation.measures import Numbers

KEPT: Final = (0.95, 0.98)
"""Shares of the validation cells at which detection is told."""

SILENT: Final = 1e-3
"""Spread below which a channel is taken to say nothing."""

EACH_KEEPS: Final = 0.99
"""Share of the validation cells that each of a ruler's two parts keeps below 1."""

KEEP: Final = 0.98
"""Share of the validation cells below the exported threshold: 2 % of good cells are given up."""

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

    Distance of Mahalanobis to the nearest centre, with one covariance for all. Strangers that look
    like white cells, as large platelets do once cut, can be learned: how much nearer their centre
    is than any other (Fisher's linear discriminant) then counts where it says more.
    """

    whitening: Numbers
    """Channels×channels: whitened features have covariance 1 around their centre."""
    centres: Numbers
    """Groups×channels, whitened."""
    strange: Numbers
    """Centre of strangers that were learned, 1×channels, whitened; 0×channels where none were."""
    unit: float = 1.0
    """Distance that counts as 1."""
    nearer: float = 0.0
    """Difference of squares, known less strange, that counts as 1."""
    spread: float = 1.0
    """And by how much more it counts as 2."""

    def distance(self, features: Numbers) -> Numbers:
        """N values: the higher, the stranger."""
        known, difference = self.parts(features)
        distance = np.sqrt(known) / self.unit
        if not len(self.strange):
            return distance
        larger: Numbers = np.maximum(distance, 1 + (difference - self.nearer) / self.spread)
        return larger

    def parts(self, features: Numbers) -> tuple[Numbers, Numbers]:
        """Square to the nearest centre, and how much that is above the square to the strangers'."""
        whitened = features @ self.whitening
        known = _squares(whitened, self.centres)
        strange = _squares(whitened, self.strange) if len(self.strange) else known
        return known, known - strange


def _squares(whitened: Numbers, centres: Numbers) -> Numbers:
    nearest: Numbers = ((whitened[:, None] - centres) ** 2).sum(axis=2).min(axis=1)
    return nearest


def fit_ruler(features: Numbers, groups: Names) -> Ruler:
    """A centre for each group of training cells, such as a class of a source.

    The covariance within groups, of channels scaled alike, is shrunk after Ledoit and Wolf 2004, so
    that few cells do.
    """
    from sklearn.covariance import LedoitWolf

    names = np.unique(groups)
    centres = np.stack([features[groups == name].mean(axis=0) for name in names])
    inside = features - centres[np.searchsorted(names, groups)]
    scale = np.maximum(inside.std(axis=0), SILENT)
    precision = LedoitWolf(assume_centered=True).fit(inside / scale).precision_
    whitening = np.linalg.cholesky(precision) / scale[:, None]
    return Ruler(whitening, centres @ whitening, np.empty((0, features.shape[1])))


def learn_strangers(measured: "Measured", features: Numbers) -> "Measured":
    """Have the ruler know strangers, too.

    Both of its parts get the unit that leaves 1 % of the validation cells above 1.

    Args:
        measured: with the validation cells.
        features: N×channels of the strangers.
    """
    ruler = measured.ruler
    strange = (features.mean(axis=0) @ ruler.whitening)[None]
    taught = replace(ruler, strange=strange, unit=1.0, nearer=0.0, spread=1.0)
    known, difference = taught.parts(measured.validation.features)
    taught = replace(
        taught,
        unit=measured.bound(np.sqrt(known), EACH_KEEPS),
        nearer=measured.bound(difference, EACH_KEEPS),
        spread=float(difference.std()),
    )
    return replace(measured, ruler=taught)


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

    @property
    def name(self) -> str:
        """Of the score that becomes the graph's output `ood`."""
        return "mahalanobis, platelets learned" if len(self.ruler.strange) else "mahalanobis"

    def threshold(self, keep: float = KEEP) -> float:
        """The distance below which lies the share `keep` of the validation cells.

        Of the real and of the simulated ones, whichever ask for the larger.
        """
        return self.bound(self.ruler.distance(self.validation.features), keep)

    def bound(self, values: Numbers, keep: float) -> float:
        """The same of any values of the validation cells."""
        drawn = self.sources == SIMULATOR
        some = [values[which] for which in (drawn, ~drawn) if which.any()]
        return max(threshold(one, keep) for one in some)


def save(path: Path, measured: Measured) -> None:
    """Write `ood.npz`."""
    ruler, seen = measured.ruler, measured.validation
    np.savez(
        path,
        allow_pickle=False,
        whitening=ruler.whitening,
        centres=ruler.centres,
        strange=ruler.strange,
        scales=np.array([ruler.unit, ruler.nearer, ruler.spread]),
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
    scales = (float(scale) for scale in kept["scales"])
    ruler = Ruler(kept["whitening"], kept["centres"], kept["strange"], *scales)
    return Measured(ruler, seen, kept["sources"])


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


def kept(values: npt.NDArray[np.floating[Any]], sources: Names, above: float) -> list[Kept]:
    """Share of each source's cells at or below the threshold."""
    found = []
    for source in np.unique(sources):
        some = values[sources == source]
        share = round(float((some <= np.float32(above)).mean()), 4)
        found.append(Kept(str(source), share, len(some)))
    return found
