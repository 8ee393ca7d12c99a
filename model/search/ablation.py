"""What each choice is worth: one thing taken away at a time, over seeds, on one split."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model import run
from model.config import TrainingConfig, load_config, save_config
from model.data.simulator import SOURCE as SIMULATOR
from model.errors import ModelError
from model.evaluation.measures import balanced_accuracy
from model.evaluation.predictions import Predictions, read_predictions
from model.search.one_split import OneSplit
from model.search.variations import FULL, variations
from model.training.study import Report, resume_of

__all__ = ["FULL", "Line", "ablate", "variations"]

Figures = dict[str, float]
"""Balanced accuracy by part: `validation`, `validation, real`, `test`, `test, real`."""


@dataclass(frozen=True)
class Line:
    """A variation over its seeds."""

    variation: str
    settings: Mapping[str, Any]
    seeds: int
    mean: Figures
    sd: Figures
    """Over seeds (n−1 in the denominator); NaN with one seed."""
    difference: Figures
    """Mean over seeds of variation minus full, each pair with one seed."""
    difference_sd: Figures

    def said(self) -> tuple[str, str, str, str]:
        """Variation, validation, difference on validation, test: as a row of a table."""
        part = "validation"
        gained = f"{self.difference[part]:+.3f} ± {self.difference_sd[part]:.3f}"
        kept = [f"{self.mean[name]:.3f} ± {self.sd[name]:.3f}" for name in (part, "test")]
        return self.variation, kept[0], "" if self.variation == FULL else gained, kept[1]


def ablate(
    base: TrainingConfig,
    wanted: Mapping[str, Mapping[str, Any]],
    seeds: int,
    out: Path,
    report: Report,
) -> list[Line]:
    """Train every variation with every seed, skipping what is finished, and tabulate.

    Args:
        base: the full configuration; seeds count up from its own.
        wanted: fields changed by each variation; FULL is among them.
        seeds: how many.
        out: for a run folder each, ablation.json and ablation.md.
        report: is told how far it is.

    Raises:
        ModelError: `out` holds runs of other settings.
    """
    cells = OneSplit(base, report)
    found: dict[str, list[Figures]] = {name: [] for name in wanted}
    total = seeds * len(wanted)
    # Seed by seed, so that a table of all variations is there early.
    for done in range(total):
        seed, place = divmod(done, len(wanted))
        name = list(wanted)[place]
        config = _varied(base, wanted[name], name, base.seed + seed)
        folder = out / f"{_slug(name)}-{config.seed}"
        _trained(config, folder, cells, report)
        found[name].append(_figures(folder))
        report("runs", done + 1, total, f"{name}, seed {config.seed}")
    lines = [_line(name, wanted[name], found[name], found[FULL]) for name in wanted]
    _write(lines, base, found, out)
    return lines


def _varied(
    base: TrainingConfig, fields: Mapping[str, Any], name: str, seed: int
) -> TrainingConfig:
    return TrainingConfig.model_validate(
        base.model_dump() | {**fields, "title": name, "seed": seed}
    )


def _trained(config: TrainingConfig, folder: Path, cells: OneSplit, report: Report) -> None:
    if not (folder / "config.json").exists():
        run.new_run(folder)
        save_config(config, folder)
    elif load_config(folder) != config:
        raise ModelError(f"{folder} is a run of other settings: give --out another folder")
    if not (folder / run.FACTS).exists():
        resume_of(cells.at(config.size), config, folder, f"ablate: {config.title}", report)


def _figures(folder: Path) -> Figures:
    held_out = read_predictions(folder / run.PREDICTIONS)
    parts = {
        "validation": read_predictions(folder / run.VALIDATION),
        "test": held_out.take(held_out.parts == "test"),
    }
    figures = {}
    for part, said in parts.items():
        figures[part] = _balanced(said)
        figures[f"{part}, real"] = _balanced(said.take(said.sources != SIMULATOR))
    return figures


def _balanced(said: Predictions) -> float:
    return balanced_accuracy(said.labels, said.given)


def _line(name: str, settings: Mapping[str, Any], mine: list[Figures], full: list[Figures]) -> Line:
    pairs = zip(mine, full, strict=True)
    gained = [{part: one[part] - other[part] for part in one} for one, other in pairs]
    return Line(
        variation=name,
        settings=settings,
        seeds=len(mine),
        mean=_over_seeds(mine, np.mean),
        sd=_over_seeds(mine, _sd),
        difference=_over_seeds(gained, np.mean),
        difference_sd=_over_seeds(gained, _sd),
    )


def _over_seeds(runs: list[Figures], taken: Callable[[list[float]], Any]) -> Figures:
    return {part: float(taken([one[part] for one in runs])) for part in runs[0]}


def _sd(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else float("nan")


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in name).split())


def _write(
    lines: list[Line], base: TrainingConfig, found: dict[str, list[Figures]], out: Path
) -> None:
    facts = {
        "base": base.model_dump(mode="json"),
        "variations": [asdict(line) | {"runs": found[line.variation]} for line in lines],
    }
    (out / "ablation.json").write_text(json.dumps(facts, indent=2) + "\n")
    (out / "ablation.md").write_text(_markdown(lines, base))


def _markdown(lines: list[Line], base: TrainingConfig) -> str:
    parts = [part for part in lines[0].mean if not np.isnan(lines[0].mean[part])]
    titles = ["variation", *(f"{part} | against full" for part in parts)]
    rows = [[line.variation, *(_cell(line, part) for part in parts)] for line in lines]
    return "\n".join(
        [
            "# Ablation",
            "",
            "Research use only. Balanced accuracy, mean ± standard deviation over "
            f"{lines[0].seeds} seeds on one split; differences to `{FULL}` are paired by seed. "
            "Choose by the validation part: the test part is beside it to show whether the choice "
            f"holds. {base.epochs} epochs of {base.steps or 'one pass of'} batches.",
            "",
            "A difference smaller than its standard deviation is none.",
            "",
            f"| {' | '.join(titles)} |",
            "|" + "---|" * (1 + 2 * len(parts)),
            *(f"| {' | '.join(row)} |" for row in rows),
            "",
        ]
    )


def _cell(line: Line, part: str) -> str:
    gained = f"{line.difference[part]:+.3f} ± {line.difference_sd[part]:.3f}"
    own = f"{line.mean[part]:.3f} ± {line.sd[part]:.3f}"
    return f"{own} | {'' if line.variation == FULL else gained}"
