"""A folder of drawn cells is one that training reads."""

from pathlib import Path

import numpy as np
import pytest

from model.config import TrainingConfig
from model.data.drawn import GROUP, draw_folder
from model.errors import ModelError
from model.training.study import Report, read


def test_a_drawn_folder_shows_every_class_and_each_cell_on_its_own_slide(
    tmp_path: Path, unheard: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOSCOPE_MODEL_CACHE", str(tmp_path / "cache"))
    told: list[tuple[int, int]] = []
    assert draw_folder(tmp_path / "images", 36, 5, lambda *now: told.append(now)) == 36
    assert told[-1] == (36, 36)
    data = (f"folder:{tmp_path / 'images'}?group={GROUP}",)
    cells = read(TrainingConfig(data=data, variants=1, threads=1), unheard).cells
    assert np.unique(cells.labels, return_counts=True)[1].tolist() == [12, 12, 12]
    assert len(set(cells.groups)) == 36


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(ModelError, match="is not empty"):
        draw_folder(tmp_path, 3, 1, lambda *_: None)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
