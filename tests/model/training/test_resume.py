"""A training that is killed goes on as if it had not been."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from model import run
from model.config import TrainingConfig
from model.errors import ModelError
from model.training.facts import training_facts
from model.training.study import Report, read, resume, study

LEFT = ("history.jsonl", "split.csv", "predictions.csv", "validation.csv")


@pytest.fixture(scope="module")
def config(tiny_config: TrainingConfig) -> TrainingConfig:
    return tiny_config.model_copy(
        update={"epochs": 3, "steps": 30, "batch": 16, "tensorboard": True}
    )


@pytest.fixture(scope="module", autouse=True)
def _cells_read_once(config: TrainingConfig, unheard: Report) -> Iterator[None]:
    mixture = read(config, unheard)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.training.study.read", lambda *_: mixture)
        yield


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, config: TrainingConfig, unheard: Report
) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    study(config, folder, "train", unheard)
    return folder


def _assert_alike(one: Path, other: Path) -> None:
    for name in LEFT:
        assert (one / name).read_text() == (other / name).read_text()
    for name in ("best.npz", "generator.npz", "checkpoint.npz"):
        with np.load(one / name) as first, np.load(other / name) as second:
            assert first.files == second.files
            assert all(np.array_equal(first[key], second[key]) for key in first.files), name


# The first epoch's checkpoint is there and the second epoch runs: that one is done again.
def test_killed_by_the_system_it_ends_with_the_same_weights(
    whole: Path, config: TrainingConfig, tmp_path: Path, unheard: Report
) -> None:
    folder = tmp_path / "killed"
    settings = {"size": 32, "variants": 2, "widths": "8,8,8,8", "noise": 8, "batch": 16, "fakes": 4}
    typed = [
        "--simulator",
        "24",
        "--threads",
        "1",
        "--epochs",
        "3",
        "--steps",
        "30",
        "--tensorboard",
    ]
    typed += [part for name in settings for part in ("--set", f"{name}={settings[name]}")]
    started = subprocess.Popen(
        [sys.executable, "-m", "model.cli", "train", "--out", str(folder), *typed],
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not (folder / "checkpoint.npz").exists():
        assert started.poll() is None, "it ended before its first epoch"
        assert time.monotonic() < until
        time.sleep(0.01)
    started.send_signal(signal.SIGKILL)
    assert started.wait() == -signal.SIGKILL
    assert not (folder / "facts.json").exists()
    assert TrainingConfig.model_validate_json((folder / "config.json").read_text()) == config
    with pytest.raises(ModelError, match="not a finished run"):
        run.load_facts(folder)
    with (folder / "history.jsonl").open("a") as file:
        file.write('{"an epoch": "whose checkpoint was never written"}\n')
    facts = resume(folder, "train --resume", unheard)
    assert facts["resumed"]
    assert facts["command"].startswith("leukoscope-model train --out")
    _assert_alike(folder, whole)


def test_a_finished_run_is_not_resumed(whole: Path, unheard: Report) -> None:
    with pytest.raises(ModelError, match="is finished"):
        resume(whole, "train --resume", unheard)


def test_a_run_whose_data_have_changed_is_not_resumed(
    whole: Path, tmp_path: Path, unheard: Report
) -> None:
    (tmp_path / "config.json").write_text((whole / "config.json").read_text())
    started = json.loads((whole / "started.json").read_text())
    (tmp_path / "started.json").write_text(json.dumps(started | {"data_digest": "0" * 64}))
    with pytest.raises(ModelError, match="data have changed"):
        resume(tmp_path, "train --resume", unheard)


@pytest.mark.parametrize(("losses", "over"), [([3, 1, 2], False), ([3, 1, 2, 1.5], True)])
def test_a_training_that_stops_gaining_ends_early_and_says_so(
    config: TrainingConfig, tmp_path: Path, losses: list[float], over: bool
) -> None:
    from model.training.epochs import Keeper

    patient = config.model_copy(update={"epochs": 9, "patience": 2})
    lines = [json.dumps({"validation_loss": loss}) + "\n" for loss in losses]
    (tmp_path / "history.jsonl").write_text("".join(lines))
    mixture = read(config, lambda *_: None)
    keeper = Keeper(patient, mixture, tmp_path, lambda *_: None, [], len(losses))
    assert keeper.over == over
    facts = training_facts(patient, tmp_path, 0.0)
    assert (facts["epochs"], facts["best_epoch"]) == (len(losses), 2)
    assert facts["stopped_early"]


def test_the_run_keeps_pictures_and_logits_for_what_comes_later(whole: Path) -> None:
    predictions = (whole / "predictions.csv").read_text().splitlines()[1:]
    pictures = np.load(whole / "pictures.npy", mmap_mode="r")
    assert pictures.shape == (len(predictions), 32, 32, 3)
    rows = (whole / "validation.csv").read_text().splitlines()
    assert rows[0].endswith("border,logit ALL,logit AML,logit Normal")
    temperature = json.loads((whole / "facts.json").read_text())["temperature"]
    for row in rows[1:]:
        cells = row.split(",")
        assert cells[4] == "validation"
        powers = np.exp(np.array(cells[-3:], float) / temperature)
        assert np.allclose(powers / powers.sum(), np.array(cells[6:9], float), atol=1e-4)


def test_tensorboard_shows_losses_figures_and_generated_cells(whole: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(whole / "tensorboard"))
    events.Reload()
    tags = set(events.Tags()["tensors"])
    assert {"loss/class", "loss/fooling", "validation/log loss", "generated/AML"} <= tags
    assert [event.step for event in events.Tensors("validation/log loss")] == [1, 2, 3]
