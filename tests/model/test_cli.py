"""The command line: teaches, answers programs, and says what was wrong."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.cli import app

runner = CliRunner()


def test_help_is_quick_and_starts_no_tensorflow() -> None:
    code = (
        "import sys, model.cli\n"
        "from typer.testing import CliRunner\n"
        "said = CliRunner().invoke(model.cli.app, ['train', '--help'])\n"
        "assert said.exit_code == 0, said.output\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'onnxruntime', 'tf2onnx', 'boto3', 'optuna'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "train",
        "baseline",
        "reproduce",
        "search",
        "ablate",
        "export",
        "verify",
        "publish",
        "promote",
        "rollback",
        "models",
    ],
)
def test_every_command_explains_itself(command: str) -> None:
    said = runner.invoke(app, [command, "--help"])
    assert said.exit_code == 0
    assert "--json" in said.stdout


def test_the_exit_codes_are_documented() -> None:
    assert "Exit codes: 0 done" in " ".join(runner.invoke(app, ["--help"]).stdout.split())


def test_verify_answers_a_program_that_does_not_ask_who_signed(tiny_bundle: Path) -> None:
    said = runner.invoke(app, ["verify", str(tiny_bundle), "--allow-unsigned", "--json"])
    assert said.exit_code == 0
    answer = json.loads(said.stdout)
    assert len(answer["sha256"]) == 64
    assert answer["manifest"]["labels"] == ["ALL", "AML", "Normal"]


def test_verify_answers_a_person(tiny_bundle: Path) -> None:
    said = runner.invoke(
        app, ["verify", str(tiny_bundle), "--allow-unsigned"], env={"COLUMNS": "200"}
    )
    assert said.exit_code == 0
    assert "leukoscope-acgan 0.0.1" in said.stdout
    assert "balanced accuracy, simulator" in said.stdout


def test_verify_of_a_damaged_bundle_fails_and_says_why(tiny_bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_bundle, tmp_path / "copy")
    (copy / "classifier.onnx").unlink()
    said = runner.invoke(app, ["verify", str(copy)])
    assert said.exit_code == 1
    assert "lacks classifier.onnx" in " ".join(said.stderr.split())


def test_train_without_data_says_what_to_give(tmp_path: Path) -> None:
    said = runner.invoke(app, ["train", "--out", str(tmp_path / "run")])
    assert said.exit_code == 1
    assert "give --data KIND:WHERE" in said.stderr


def test_an_unknown_setting_names_itself(tmp_path: Path) -> None:
    said = runner.invoke(app, ["train", "--out", str(tmp_path / "run"), "--set", "ratee=1"])
    assert said.exit_code == 1
    assert "ratee" in said.stderr
    assert not (tmp_path / "run").exists()


def test_export_of_an_unfinished_run_says_so(tmp_path: Path) -> None:
    said = runner.invoke(app, ["export", str(tmp_path), "--out", str(tmp_path / "bundle")])
    assert said.exit_code == 1
    assert "not a finished run" in said.stderr
