"""What a search found: Pareto front, importance, best configuration. Markdown, JSON, PNG."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import optuna
from optuna.trial import TrialState

from model.config import TrainingConfig
from model.search.search import BASE, CPU_MS, DIGEST, LOSS
from model.search.space import Space

BEST: Final = "best.json"

LEAST_TRIALS: Final = 4
"""Complete ones below which importance would be made up."""


@dataclass(frozen=True)
class Found:
    """A complete trial."""

    number: int
    balanced_accuracy: float
    """On the validation part: chosen by, so it flatters."""
    validation_loss: float
    cpu_ms_a_cell: float
    params: dict[str, Any]


@dataclass(frozen=True)
class Summary:
    """A search as it stands."""

    name: str
    data_digest: str
    complete: int
    pruned: int
    best: Found
    pareto: tuple[Found, ...]
    """Cheapest first; each is more accurate than every cheaper one."""
    importance: dict[str, float]
    """Share of the value's variance that a choice explains (fANOVA); empty with few trials."""


def summary(study: optuna.Study) -> Summary | None:
    """What is known so far; None where no trial is complete."""
    complete = [_found(trial) for trial in study.trials if trial.state == TrialState.COMPLETE]
    if not complete:
        return None
    return Summary(
        name=study.study_name,
        data_digest=study.user_attrs[DIGEST],
        complete=len(complete),
        pruned=sum(trial.state == TrialState.PRUNED for trial in study.trials),
        best=max(complete, key=_merit),
        pareto=pareto(complete),
        importance=_importance(study, len(complete)),
    )


def pareto(found: Sequence[Found]) -> tuple[Found, ...]:
    """The trials that no other beats in both accuracy and CPU time, cheapest first."""
    front: list[Found] = []
    for one in sorted(found, key=lambda one: (one.cpu_ms_a_cell, -one.balanced_accuracy)):
        if not front or one.balanced_accuracy > front[-1].balanced_accuracy:
            front.append(one)
    return tuple(front)


def write(study: optuna.Study, found: Summary, space: Space, folder: Path) -> None:
    """Write report.md, report.json, search.png, and best.json for `train --config`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = _best_config(study, found, space)
    (folder / BEST).write_text(json.dumps(config, indent=2) + "\n")
    (folder / "report.json").write_text(json.dumps(asdict(found), indent=2) + "\n")
    (folder / "report.md").write_text(_markdown(found, folder))
    _picture(study, found, folder / "search.png")


def _found(trial: optuna.trial.FrozenTrial) -> Found:
    attributes = trial.user_attrs
    return Found(
        trial.number, trial.values[0], attributes[LOSS], attributes[CPU_MS], dict(trial.params)
    )


def _merit(found: Found) -> tuple[float, float]:
    return found.balanced_accuracy, -found.cpu_ms_a_cell


def _importance(study: optuna.Study, complete: int) -> dict[str, float]:
    values = {trial.value for trial in study.trials if trial.state == TrialState.COMPLETE}
    if complete < LEAST_TRIALS or len(values) < 2:
        return {}
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)


def _best_config(study: optuna.Study, found: Summary, space: Space) -> dict[str, Any]:
    """Fields of the base with the best trial's choices in their place."""
    base = TrainingConfig.model_validate(study.user_attrs[BASE])
    config = space.suggest(optuna.trial.FixedTrial(found.best.params), base)
    return config.model_dump(mode="json", exclude={"seed", "threads", "gpus", "title"})


def _markdown(found: Summary, folder: Path) -> str:
    lines = [
        f"# Search {found.name}",
        "",
        "Research use only. Balanced accuracy is of the validation part, which the search chose "
        "by: it flatters. Train the best anew and read its test part before you believe it.",
        "",
        f"{found.complete} trials complete, {found.pruned} pruned. Data {found.data_digest}.",
        "",
        "## Accuracy against CPU time",
        "",
        "Trials that no other beats in both. Milliseconds of CPU a cell: onnxruntime, one thread.",
        "",
        "| trial | balanced accuracy | log loss | CPU ms a cell | choices |",
        "|---|---|---|---|---|",
        *(_row(one) for one in found.pareto),
        "",
        "![accuracy against CPU time, and importance](search.png)",
        "",
        "## Importance",
        "",
        *_importance_table(found),
        "",
        "## The best",
        "",
        f"Trial {found.best.number}. Train it:",
        "",
        f"    leukoscope-model train --config {folder / BEST} --out runs/best",
        "",
    ]
    return "\n".join(lines)


def _row(one: Found) -> str:
    choices = ", ".join(f"{name} {_short(value)}" for name, value in sorted(one.params.items()))
    figures = f"{one.balanced_accuracy:.3f} | {one.validation_loss:.3f} | {one.cpu_ms_a_cell:.2f}"
    return f"| {one.number} | {figures} | {choices} |"


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _importance_table(found: Summary) -> list[str]:
    if not found.importance:
        return [f"Not told: it takes {LEAST_TRIALS} complete trials that differ in value."]
    rows = [f"| {name} | {share:.2f} |" for name, share in found.importance.items()]
    return ["| choice | share of variance |", "|---|---|", *rows]


def _picture(study: optuna.Study, found: Summary, path: Path) -> None:
    from matplotlib.figure import Figure

    every = [_found(trial) for trial in study.trials if trial.state == TrialState.COMPLETE]
    figure = Figure(figsize=(10, 4), layout="constrained")
    accuracy, importance = figure.subplots(1, 2)
    accuracy.scatter(
        [one.cpu_ms_a_cell for one in every], [one.balanced_accuracy for one in every], c="#888888"
    )
    accuracy.plot(
        [one.cpu_ms_a_cell for one in found.pareto],
        [one.balanced_accuracy for one in found.pareto],
        "o-",
        c="#b3123e",
    )
    accuracy.set(xlabel="CPU ms a cell", ylabel="balanced accuracy, validation part")
    names = list(found.importance)[::-1]
    importance.barh(names, [found.importance[name] for name in names], color="#b3123e")
    importance.set(xlabel="share of variance", title="" if names else "too few trials")
    figure.suptitle(f"{found.name}: research use only")
    figure.savefig(path, dpi=120)
