"""The paper's experiments from simulator images laid out like ALL-IDB, in one command."""

import json
from pathlib import Path

import pytest
from layouts import write_all_idb, write_folder
from typer.testing import CliRunner

from model.cli import app

runner = CliRunner()

NAMES = ("acgan", "discriminator", "cnn-bare", "histogram", "border")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def all_idb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all_idb(tmp_path_factory.mktemp("data") / "ALL-IDB", fields=16).folder


@pytest.fixture(autouse=True)
def few_networks(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """Without VGG-16, ResNet-50 and DenseNet-121, which take a minute to build alone."""
    from model.reproduce import plan

    monkeypatch.setenv("LEUKOSCOPE_MODEL_CACHE", str(cache))
    monkeypatch.setattr(plan, "NETWORKS", [n for n in plan.NETWORKS if n.name in NAMES])


def run(all_idb: Path, folder: Path) -> dict[str, object]:
    wanted = f"--data all-idb:{all_idb} --out {folder}/results --runs {folder}/runs"
    options = "--small --workers 1 --seeds 1 --json"
    said = runner.invoke(app, ["reproduce", *wanted.split(), *options.split()])
    assert said.exit_code == 0, said.output
    facts: dict[str, object] = json.loads(said.stdout)
    return facts


def test_the_binary_experiment_ends_as_a_page_and_is_not_run_twice(
    all_idb: Path, tmp_path: Path
) -> None:
    facts = run(all_idb, tmp_path)
    results = tmp_path / "results"
    page = (results / "index.md").read_text()
    assert "Research use only" in page
    assert "AC-GAN beside its own discriminator trained plainly" in page
    assert "| border-only control | random (leaks) | 1 |" in page
    assert "Its figures mean nothing" in page
    binary = facts["binary"]
    assert isinstance(binary, dict)
    assert [(one["split"], one["seeds"]) for one in binary["beside_plain"]] == [
        ("random", 1),
        ("group", 1),
    ]
    report = json.loads((results / "binary" / "report.json").read_text())
    assert {entry["title"] for entry in report["entries"]} >= {"plain CNN", "AC-GAN, our recipe"}
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs").rglob("facts.json")}
    assert len(made) == 2 * len(NAMES)
    run(all_idb, tmp_path)
    assert made == {path: path.stat().st_mtime_ns for path in made}


def test_what_a_killed_run_left_is_begun_anew(all_idb: Path, tmp_path: Path) -> None:
    half = tmp_path / "runs" / "binary" / "group" / "border-seed1.part"
    half.mkdir(parents=True)
    (half / "predictions.csv").write_text("half a line")
    run(all_idb, tmp_path)
    assert not half.exists()
    assert (half.with_suffix("") / "facts.json").exists()


def test_a_folder_of_aml_gives_the_three_classes(all_idb: Path, tmp_path: Path) -> None:
    aml = write_folder(tmp_path / "ASH", [("AML", "myeloblast")], patients=8, each=1)
    wanted = f"--data all-idb:{all_idb} --aml {aml}/AML --seeds 2 --dry-run --json"
    said = runner.invoke(app, ["reproduce", *wanted.split()])
    assert said.exit_code == 0, said.output
    runs = json.loads(said.stdout)["runs"]
    assert "three-classes/group/acgan-seed2" in runs
    assert "binary/random/border-seed1" in runs


def test_data_of_one_class_are_refused(tmp_path: Path) -> None:
    aml = write_folder(tmp_path / "one", [("AML", "myeloblast")], patients=2, each=1)
    said = runner.invoke(app, ["reproduce", "--data", f"folder:{aml}"])
    assert said.exit_code == 1
    assert "no experiment is possible" in " ".join(said.stderr.split())
