"""An ablation: every variation with every seed, on one split, once."""

import json
from pathlib import Path

import numpy as np
import pytest

from model.config import TrainingConfig
from model.errors import ModelError
from model.search.ablation import ablate
from model.search.variations import VARIATIONS, variations
from model.training.study import Report, read


@pytest.fixture
def base(tiny_config: TrainingConfig) -> TrainingConfig:
    return tiny_config.model_copy(update={"mode": "plain"})


def test_it_tabulates_and_skips_what_is_finished(
    base: TrainingConfig, tmp_path: Path, unheard: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = read(base, unheard)
    monkeypatch.setattr("model.search.one_split.read", lambda *_: mixture)
    wanted = {"full": {}, "no average": {"average": 0.0}}
    lines = ablate(base, wanted, 1, tmp_path, unheard)
    folders = sorted(folder.name for folder in tmp_path.iterdir() if folder.is_dir())
    assert folders == ["full-1", "no-average-1"]
    splits = {(tmp_path / folder / "split.csv").read_text() for folder in folders}
    assert len(splits) == 1
    assert lines[0].difference["validation"] == 0
    assert lines[1].difference["test"] == lines[1].mean["test"] - lines[0].mean["test"]
    assert json.loads((tmp_path / "full-1" / "facts.json").read_text())["title"] == "full"
    table = (tmp_path / "ablation.md").read_text()
    assert "| no average |" in table
    assert "real" not in table  # every cell here is a simulated one

    monkeypatch.setattr("model.search.ablation.resume_of", _must_not_train)
    again = ablate(base, wanted, 1, tmp_path, unheard)
    assert [line.mean["test"] for line in again] == [line.mean["test"] for line in lines]
    with pytest.raises(ModelError, match="a run of other settings"):
        ablate(base.model_copy(update={"batch": 16}), wanted, 1, tmp_path, unheard)


def _must_not_train(*_: object) -> None:
    raise AssertionError("this run was finished")


def test_every_variation_is_a_configuration() -> None:
    full = TrainingConfig()
    for name, fields in VARIATIONS.items():
        varied = TrainingConfig.model_validate(full.model_dump() | dict(fields))
        assert (varied == full) == (name in ("full", f"size {full.size}")), name


def test_a_variation_that_is_none_names_those_that_are() -> None:
    with pytest.raises(ModelError, match="no variation 'mor': there are full, plain"):
        variations(["mor"])
    assert list(variations(["no smoothing"])) == ["full", "no smoothing"]


def test_differences_are_paired_by_seed() -> None:
    from model.search.ablation import _line

    full = [{"validation": value} for value in (0.80, 0.90, 0.70)]
    mine = [{"validation": value} for value in (0.79, 0.89, 0.69)]
    line = _line("less", {}, mine, full)
    assert line.difference["validation"] == pytest.approx(-0.01)
    assert line.difference_sd["validation"] == pytest.approx(0, abs=1e-12)
    assert line.sd["validation"] == pytest.approx(np.std([0.8, 0.9, 0.7], ddof=1))
