"""Configurations with a name: the paper's, and ours."""

from typing import Any, Final, Literal

Preset = Literal["reference", "paper"]
Mode = Literal["acgan", "semi", "supervised", "plain"]

PAPER: Final[dict[str, Any]] = {
    "size": 28,
    "cut": "whole",
    "variants": 1,
    "epochs": 50,
    "steps": 0,
    "sampling": "natural",
    "batch": 64,
    "fakes": 64,
    "rate": 1e-3,
    "generator_rate": 1e-3,
    "schedule": "constant",
    "normalisation": "batch",
    "source_weight": 1.0,
    "maker_loss": "paper",
    "label_smoothing": 0.0,
    "source_smoothing": 0.0,
    "augment": False,
    "augment_fakes": False,
    "average": 0.0,
}
"""Karar et al. 2022: 28×28, Adam at 1e-3, batches of 64, 50 epochs, nothing of what came later.

The paper does not say which layers its networks have: ours, with the BatchNorm of DCGAN-like
networks (Radford et al. 2016) and their first moment decay of 0.5.
"""

PRESETS: Final[dict[Preset, dict[str, Any]]] = {"reference": {}, "paper": PAPER}

MODES: Final[dict[Mode, dict[str, Any]]] = {
    "acgan": {},
    "semi": {"fake_class_weight": 0.0},
    "supervised": {"fake_class_weight": 1.0, "unlabelled": 0.0},
    "plain": {"mode": "plain"},
}
"""`supervised` learns classes from real and generated cells (Odena et al. 2017: Lc has both terms)
and from labelled cells only; `semi` is the paper's switch: classes from real cells alone, and
unlabelled real cells through the source head."""


def preset(name: Preset, mode: Mode = "acgan") -> dict[str, Any]:
    """Fields of a `TrainingConfig` that differ from its defaults."""
    return PRESETS[name] | MODES[mode]
