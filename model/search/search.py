"""Search with Optuna: resumable, pruned, and parallel where the storage is shared."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import optuna
from optuna.study import MaxTrialsCallback
from optuna.trial import TrialState

from model.config import TrainingConfig
from model.errors import ModelError
from model.runtime import start_tensorflow
from model.search.one_split import OneSplit
from model.search.space import Space
from model.training.study import Report

CPU_MS: Final = "cpu_ms_a_cell"
LOSS: Final = "validation_loss"
DIGEST: Final = "data_digest"
BASE: Final = "base"

ENDED: Final = (TrialState.COMPLETE, TrialState.PRUNED)

UNPRUNED: Final = 5
"""Trials that run to their end before any is pruned against their median."""


@dataclass(frozen=True)
class Plan:
    """What is searched for."""

    base: TrainingConfig
    """What the search does not choose: data, split, epochs, seed."""
    space: Space
    storage: str
    """URL as SQLAlchemy writes it: sqlite:///search.db, or a server that several machines share."""
    name: str
    trials: int
    """Ended ones, complete or pruned, after which the search ends."""


def search(plan: Plan, report: Report) -> optuna.Study:
    """Run trials until so many have ended, those of earlier calls and other machines included.

    A trial's value is balanced accuracy on the validation part, in its epoch of least log loss.
    The test part is never looked at. Pruning goes by the log loss after each epoch (the median of
    the other trials at that epoch). CPU milliseconds a cell stand beside the value: Optuna prunes
    searches of one objective only.

    Raises:
        ModelError: the storage cannot be used, or its study is of other data or settings.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = _opened(plan)
    cells = OneSplit(plan.base, report)
    _hold_to(study, plan, cells.at(plan.base.size).digest)
    start_tensorflow(plan.base.seed, plan.base.threads, plan.base.gpus)

    def told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        report("trials", min(ended(study), plan.trials), plan.trials, _word(trial))

    if ended(study) < plan.trials:
        study.optimize(
            lambda trial: _value(trial, plan, cells, report),
            callbacks=[MaxTrialsCallback(plan.trials, ENDED), told],
        )
    return study


def ended(study: optuna.Study) -> int:
    """Trials that are complete or pruned."""
    return len(study.get_trials(deepcopy=False, states=ENDED))


def _opened(plan: Plan) -> optuna.Study:
    try:
        study = optuna.create_study(
            storage=plan.storage, study_name=plan.name, load_if_exists=True, direction="maximize"
        )
    except Exception as error:  # SQLAlchemy's and its drivers' errors have no common base
        raise ModelError(f"--storage {plan.storage} cannot be used: {error}") from error
    # Taken up, the sampler must not draw again what it drew before.
    study.sampler = optuna.samplers.TPESampler(seed=plan.base.seed + 1000 * len(study.trials))
    study.pruner = optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED, n_warmup_steps=1)
    return study


def _hold_to(study: optuna.Study, plan: Plan, digest: str) -> None:
    """Values compare only on the same data and with the same settings."""
    wanted = {DIGEST: digest, BASE: _settings(plan.base)}
    for key, value in wanted.items():
        if study.user_attrs.setdefault(key, value) != value:
            raise ModelError(
                f"the study {plan.name} in {plan.storage} was begun with another {key}: give "
                "--study another name"
            )
        study.set_user_attr(key, value)


def _settings(base: TrainingConfig) -> dict[str, object]:
    """All that must be alike in every worker of a search; seed and threads may differ."""
    return base.model_dump(mode="json", exclude={"seed", "threads", "gpus", "title"})


def _value(trial: optuna.Trial, plan: Plan, cells: OneSplit, report: Report) -> float:
    from model.search.cost import cpu_ms_a_cell
    from model.training.acgan import ACGAN
    from model.training.epochs import Epoch
    from model.training.fit import fit

    config = plan.space.suggest(trial, plan.base)
    best: list[Epoch] = []

    def watch(model: ACGAN, epoch: Epoch) -> None:
        del model
        if not best or epoch.validation_loss < best[-1].validation_loss:
            best.append(epoch)
        trial.report(-epoch.validation_loss, epoch.epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    def told(done: int, total: int, word: str) -> None:
        report(f"trial {trial.number}", done, total, word)

    with tempfile.TemporaryDirectory(prefix="leukoscope-trial-") as folder:
        model = fit(config, cells.at(config.size), Path(folder), told, [watch])
    trial.set_user_attr(LOSS, best[-1].validation_loss)
    trial.set_user_attr(CPU_MS, cpu_ms_a_cell(model))
    return best[-1].validation_balanced


def _word(trial: optuna.trial.FrozenTrial) -> str:
    if trial.state != TrialState.COMPLETE:
        return f"trial {trial.number} {trial.state.name.lower()}"
    return f"trial {trial.number}: {trial.value:.3f} at {trial.user_attrs[CPU_MS]:.2f} ms"
