"""The paper's experiments from simulator images laid out like ALL-IDB, in one command."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from layouts import write_all_idb, write_folder
from typer.testing import CliRunner

from model.cli import app

runner = CliRunner()

NAMES = ("acgan", "discriminator", "cnn-bare", "border")


@pytest.fixture(scope="module")
def all_idb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_all_idb(tmp_path_factory.mktemp("data") / "ALL-IDB", fields=16).folder


@pytest.fixture(scope="module", autouse=True)
def few_networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Without VGG-16, ResNet-50 and DenseNet-121, which take a minute to build alone."""
    from model.reproduce import plan

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEUKOSCOPE_MODEL_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(plan, "NETWORKS", [n for n in plan.NETWORKS if n.name in NAMES])
        yield


def reproduce(all_idb: Path, folder: Path) -> dict[str, Any]:
    wanted = f"--data all-idb:{all_idb} --out {folder}/results --runs {folder}/runs"
    options = "--small --workers 1 --seeds 1 --json"
    said = runner.invoke(app, ["reproduce", *wanted.split(), *options.split()])
    assert said.exit_code == 0, said.output
    facts: dict[str, Any] = json.loads(said.stdout)
    return facts


@pytest.fixture(scope="module")
def done(all_idb: Path, few_networks: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reproduced")
    reproduce(all_idb, folder)
    return folder


def finished(folder: Path) -> dict[str, int]:
    """When each run was finished."""
    facts = (folder / "runs").rglob("facts.json")
    return {path.parent.name + path.parent.parent.name: path.stat().st_mtime_ns for path in facts}


def test_the_binary_experiment_ends_as_a_page(done: Path) -> None:
    page = (done / "results" / "index.md").read_text()
    assert "Research use only" in page
    assert "AC-GAN beside its own discriminator trained plainly" in page
    assert "| border-only control | random (leaks) | 1 |" in page
    assert "Its figures mean nothing" in page
    facts = json.loads((done / "results" / "report.json").read_text())
    beside = [(one["split"], one["seeds"]) for one in facts["binary"]["beside_plain"]]
    assert beside == [("random", 1), ("group", 1)]
    report = json.loads((done / "results" / "binary" / "report.json").read_text())
    assert {entry["title"] for entry in report["entries"]} >= {"plain CNN", "AC-GAN, our recipe"}


def test_no_page_shows_a_cell(done: Path) -> None:
    assert len(finished(done)) == 2 * len(NAMES)
    page = (done / "results" / "binary" / "report.md").read_text()
    assert "must not be passed on" not in page
    assert not list((done / "results").rglob("*.npy"))


def test_the_report_names_no_folder_of_this_machine(done: Path) -> None:
    cells = (done / "results" / "index.md").read_text().split("Made by")[0]
    assert "`all-idb:ALL-IDB`" in cells
    assert str(done) not in cells


def test_run_again_it_does_only_what_is_missing(all_idb: Path, done: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(done, tmp_path / "again")
    killed = folder / "runs" / "binary" / "group" / "border-seed1"
    killed.rename(killed.with_name("border-seed1.part"))
    (killed.with_name("border-seed1.part") / "predictions.csv").write_text("half a line")
    before = finished(done)
    reproduce(all_idb, folder)
    assert not killed.with_name("border-seed1.part").exists()
    after = finished(folder)
    assert {name for name in before if before[name] != after[name]} == {"border-seed1group"}


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
