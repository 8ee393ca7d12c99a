"""What an ablation takes away, by name."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from model.errors import ModelError

FULL: Final = "full"

VARIATIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    FULL: {},
    "plain (no GAN)": {"mode": "plain"},
    "no average": {"average": 0.0},
    "no augmentation": {"augment": False},
    "no augmentation of generated cells": {"augment_fakes": False},
    "no exchange of stains": {"exchange": 0.0},
    "standardised density": {"standardise": True, "exchange": 0.0},
    "less blur": {"blur": 1.0},
    "no diversity of generated cells": {"diversity": 0.0},
    "source loss at 1": {"source_weight": 1.0},
    "no smoothing": {"label_smoothing": 0.0, "source_smoothing": 0.0},
    "no unlabelled cells": {"unlabelled": 0.0},
    "classes from generated cells too": {"fake_class_weight": 1.0},
    "no normalisation": {"normalisation": "none"},
    "batch normalisation": {"normalisation": "batch"},
    "batch normalisation, recalibrated": {"normalisation": "batch", "recalibrate": True},
    "spectral normalisation": {"normalisation": "spectral"},
    "natural sampling": {"sampling": "natural"},
    "constant rates": {"schedule": "constant"},
    "size 28": {"size": 28},
    "size 32": {"size": 32},
    "size 48": {"size": 48},
    "size 64": {"size": 64},
}


def variations(only: Sequence[str] | None = None) -> dict[str, Mapping[str, Any]]:
    """Those named, and always the full configuration, first; all for none named.

    Raises:
        ModelError: there is no variation of that name.
    """
    for name in only or ():
        if name not in VARIATIONS:
            raise ModelError(f"no variation {name!r}: there are {', '.join(VARIATIONS)}")
    return {name: fields for name, fields in VARIATIONS.items() if _wanted(name, only)}


def _wanted(name: str, only: Sequence[str] | None) -> bool:
    return not only or name == FULL or name in only
