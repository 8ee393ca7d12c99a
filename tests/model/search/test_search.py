"""A search goes on where it stopped, prunes, and says what was worth what."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest

from model.config import TrainingConfig
from model.data.mixture import Mixture
from model.errors import ModelError
from model.presets import read_fields
from model.search import report as reports
from model.search.one_split import OneSplit
from model.search.report import Found, pareto
from model.search.search import Plan, ended, search
from model.search.space import REFERENCE, Space
from model.training.study import Report, read

TINY = Space({"thin": (8, 8, 8), "thinner": (8, 8)}, sizes=(32,))


@pytest.fixture(scope="module")
def base(tiny_config: TrainingConfig) -> TrainingConfig:
    # Plain: the search is tested here, and a GAN takes its time to be built.
    return tiny_config.model_copy(update={"mode": "plain", "epochs": 1, "steps": 1})


@pytest.fixture(scope="module")
def mixture(base: TrainingConfig, unheard: Report) -> Mixture:
    return read(base, unheard)


@pytest.fixture(autouse=True)
def _cells_read_once(mixture: Mixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.search.one_split.read", lambda *_: mixture)


def _plan(base: TrainingConfig, folder: Path, trials: int, **changed: Any) -> Plan:
    settings = base.model_copy(update=changed)
    return Plan(settings, TINY, f"sqlite:///{folder / 'search.db'}", "tiny", trials)


def test_a_search_taken_up_counts_what_is_there(
    base: TrainingConfig, tmp_path: Path, unheard: Report
) -> None:
    search(_plan(base, tmp_path, 2), unheard)
    done = search(_plan(base, tmp_path, 3), unheard)
    assert ended(done) == len(done.trials) == 3
    rates = [trial.params["rate"] for trial in done.trials]
    assert len(set(rates)) == 3  # taken up, it does not draw the same again
    with pytest.raises(ModelError, match="another base"):
        search(_plan(base, tmp_path, 4, batch=16), unheard)

    found = reports.summary(done)
    assert found is not None
    assert found.complete == 3
    assert found.best.cpu_ms_a_cell > 0
    reports.write(done, found, TINY, tmp_path / "out")
    assert (tmp_path / "out" / "search.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "out" / "report.md").read_text()
    assert "Research use only" in text
    assert "takes 4 complete trials" in text
    best = TrainingConfig.model_validate(read_fields(tmp_path / "out" / "best.json"))
    assert best.widths == TINY.widths[found.best.params["widths"]]
    assert best.rate == found.best.params["rate"]
    assert best.simulator == base.simulator


def test_a_trial_that_lags_behind_is_pruned(
    base: TrainingConfig, tmp_path: Path, unheard: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    from model.training.epochs import Epoch

    losses = iter([0.5] * 5 + [9.0])

    def fit(config: Any, mixture: Any, folder: Any, told: Any, watchers: Any) -> None:
        loss = next(losses)
        for epoch in range(3):
            told(epoch + 1, 3, "")
            for watcher in watchers:
                watcher(None, Epoch(epoch, {}, loss, 0.9))

    monkeypatch.setattr("model.training.fit.fit", fit)
    monkeypatch.setattr("model.search.cost.cpu_ms_a_cell", lambda model: 1.0)
    done = search(_plan(base, tmp_path, 6), unheard)
    states = [trial.state.name for trial in done.trials]
    assert states == ["COMPLETE"] * 5 + ["PRUNED"]
    assert [len(trial.intermediate_values) for trial in done.trials] == [3] * 5 + [2]


def test_importance_finds_the_choice_that_matters(tmp_path: Path) -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=1))
    study.set_user_attr("data_digest", "0" * 64)

    def value(trial: optuna.Trial) -> float:
        trial.suggest_float("dropout", 0, 1)
        trial.set_user_attr("validation_loss", 1.0)
        trial.set_user_attr("cpu_ms_a_cell", 1.0)
        return trial.suggest_float("rate", 0, 1)

    study.optimize(value, n_trials=20)
    found = reports.summary(study)
    assert found is not None
    assert found.importance["rate"] > 0.8
    assert found.best.params["rate"] == max(trial.params["rate"] for trial in study.trials)


def test_the_pareto_front_holds_what_nothing_beats_in_both() -> None:
    def found(number: int, accuracy: float, cost: float) -> Found:
        return Found(number, accuracy, 1.0, cost, {})

    every = [found(0, 0.8, 1.0), found(1, 0.7, 2.0), found(2, 0.9, 3.0), found(3, 0.9, 4.0)]
    assert [one.number for one in pareto(every)] == [0, 2]


def test_a_storage_that_is_none_says_so(base: TrainingConfig, unheard: Report) -> None:
    with pytest.raises(ModelError, match="--storage nonsense cannot be used"):
        search(Plan(base, TINY, "nonsense", "tiny", 1), unheard)


@pytest.mark.parametrize("widths", REFERENCE.widths)
def test_every_choice_of_widths_is_a_network(widths: str) -> None:
    for normalisation in ("none", "group", "spectral"):
        params = {"widths": REFERENCE.widths[widths], "normalisation": normalisation}
        assert json.loads(TrainingConfig.model_validate(params).model_dump_json())


def test_other_sizes_see_the_same_cells_in_the_same_parts(
    base: TrainingConfig, mixture: Mixture, unheard: Report
) -> None:
    cells = OneSplit(base, unheard)
    small = cells.at(28)
    assert small.cells.cells.shape[2:] == (28, 28, 3)
    assert np.array_equal(small.parts, mixture.parts)
    assert np.array_equal(small.cells.keys, mixture.cells.keys)
    assert cells.at(28) is small
    assert cells.at(base.size) is mixture
