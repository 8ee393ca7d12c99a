"""Configurations with a name: the paper's, and ours."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from model.config import TrainingConfig
from model.errors import ModelError

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
    "diversity": 0.0,
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


def configured(
    name: Preset,
    mode: Mode,
    file: Path | None,
    given: Mapping[str, Any],
    settings: Sequence[str],
) -> TrainingConfig:
    """A configuration, each of these over the ones before it.

    Args:
        name: of the preset.
        mode: as typed.
        file: TOML or JSON with fields of `TrainingConfig`, such as `search` writes.
        given: options of the command line; None is not given.
        settings: NAME=VALUE, as typed.

    Raises:
        ModelError: the file cannot be read, or a setting is no NAME=VALUE.
        pydantic.ValidationError: a field is unknown or its value wrong.
    """
    fields = PRESETS[name] | _title(name, mode) | (read_fields(file) if file else {}) | MODES[mode]
    fields |= {key: value for key, value in given.items() if value is not None}
    return TrainingConfig.model_validate(fields | dict(_setting(one) for one in settings))


def read_fields(file: Path) -> dict[str, Any]:
    """Fields of a configuration from a TOML or JSON file.

    Raises:
        ModelError: it cannot be read or is neither.
    """
    try:
        raw = file.read_text()
        fields = json.loads(raw) if file.suffix == ".json" else tomllib.loads(raw)
    except (OSError, ValueError) as error:
        raise ModelError(f"--config {file} cannot be read as {_kind(file)}: {error}") from error
    if not isinstance(fields, dict):
        raise ModelError(f"--config {file} is no table of settings")
    return fields


def _title(name: Preset, mode: Mode) -> dict[str, str]:
    """Reports make one line of runs of one title: what differs has another."""
    if name == "paper":
        said = {"acgan": "semi", "plain": "trained plainly"}.get(mode, mode)
        return {"title": f"the paper's AC-GAN, {said}"}
    return {"title": "AC-GAN, supervised"} if mode == "supervised" else {}


def _kind(file: Path) -> str:
    return "JSON" if file.suffix == ".json" else "TOML"


def _setting(typed: str) -> tuple[str, Any]:
    name, equals, value = typed.partition("=")
    if not equals:
        raise ModelError(f"--set {typed!r} is not NAME=VALUE")
    return name, value.split(",") if "," in value else value
