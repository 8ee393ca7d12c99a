"""Settings: preset, file, mode, options, --set. The later wins, and errors say where."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.cli import app
from model.config import TrainingConfig
from model.errors import ModelError
from model.presets import configured, preset

runner = CliRunner()


def test_the_later_setting_wins(tmp_path: Path) -> None:
    file = tmp_path / "best.toml"
    file.write_text("rate = 0.002\nbatch = 32\nepochs = 7\nwidths = [16, 24, 48]\n")
    config = configured("paper", "supervised", file, {"epochs": 3, "steps": None}, ["batch=16"])
    assert config.size == 28  # of the preset
    assert config.steps == 0  # not given is not a setting
    assert (config.rate, config.widths) == (0.002, (16, 24, 48))
    assert (config.epochs, config.batch) == (3, 16)
    assert config.fake_class_weight == 1


def test_what_a_run_saved_is_a_configuration_to_train_from(tmp_path: Path) -> None:
    saved = TrainingConfig(data=("index:a.csv",), rate=0.003, normalisation="spectral")
    file = tmp_path / "config.json"
    file.write_text(saved.model_dump_json())
    assert configured("reference", "acgan", file, {}, []) == saved


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.toml", "rate = ", "cannot be read as TOML"),
        ("a.json", "{", "cannot be read as JSON"),
        ("a.json", "[]", "no table of settings"),
    ],
)
def test_a_file_that_is_no_configuration_says_so(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ModelError, match=said):
        configured("reference", "acgan", tmp_path / name, {}, [])


def test_runs_that_differ_in_mode_differ_in_title() -> None:
    modes = ("semi", "supervised", "plain")
    titles = {configured("paper", mode, None, {}, []).title for mode in modes}
    assert len(titles) == 3
    assert json.loads(json.dumps(preset("paper", "plain")))["mode"] == "plain"


def test_train_needs_a_folder_to_make_or_to_resume(tmp_path: Path) -> None:
    for typed in ([], ["--out", str(tmp_path), "--resume", str(tmp_path)]):
        said = runner.invoke(app, ["train", *typed])
        assert said.exit_code == 1
        assert "give either --out" in said.stderr


def test_resume_takes_no_settings(tmp_path: Path) -> None:
    said = runner.invoke(app, ["train", "--resume", str(tmp_path), "--epochs", "3"])
    assert said.exit_code == 1
    assert "takes every setting from the run folder" in said.stderr
