"""One tiny training and its bundle, shared by the tests of this room."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.bundle.export import export, finished
from model.config import TrainingConfig
from model.data.cells import CellSet
from model.training.study import Report, study


@pytest.fixture(scope="session", autouse=True)
def cache_of_cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests of this room leave nothing in the user's cache, and share what they gather."""
    folder = tmp_path_factory.mktemp("cells")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LEUKOSCOPE_MODEL_CACHE", str(folder))
        yield folder


def _unheard(stage: str, done: int, total: int, word: str = "") -> None:
    assert stage
    assert 0 < done <= total, word


@pytest.fixture(scope="session")
def unheard() -> Report:
    return _unheard


@pytest.fixture(scope="session")
def tiny_config() -> TrainingConfig:
    return TrainingConfig(
        simulator=24,
        threads=1,
        size=32,
        variants=2,
        epochs=1,
        steps=2,
        batch=8,
        fakes=4,
        widths=(8, 8, 8, 8),
        noise=8,
    )


@pytest.fixture(scope="session")
def tiny_run(
    tmp_path_factory: pytest.TempPathFactory, tiny_config: TrainingConfig, unheard: Report
) -> Path:
    folder = tmp_path_factory.mktemp("model") / "run"
    study(tiny_config, folder, "leukoscope-model train --out run --simulator 24", unheard)
    return folder


@pytest.fixture(scope="session")
def tiny_bundle(tiny_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "tiny"
    export(finished(tiny_run), [], out, "0.0.1", fields=1)
    return out


@pytest.fixture
def made_up_cells() -> CellSet:
    """400 cells: two sources by patient or image, an outside one, and some without a label."""
    draw = np.random.default_rng(0)
    sources = np.array(["deepapl"] * 240 + ["pbc"] * 100 + ["lmu"] * 30 + ["bccd"] * 30)
    patients = [f"deepapl/p{n}" for n in draw.integers(0, 40, 240)]
    groups = np.array(patients + [f"{s}/{n}" for n, s in enumerate(sources[240:])])
    labels = np.concatenate([draw.integers(1, 3, 240), np.full(130, 2), np.full(30, -1)])
    origins = np.array([f"{n:064x}" for n in range(400)])
    rest: dict[str, Any] = {"kinds": sources, "origins": origins}
    keys = np.array([f"cell{n}" for n in range(400)])
    cells = draw.integers(0, 256, (400, 2, 8, 8, 3), np.uint8)
    return CellSet(cells, labels, sources, groups, keys=keys, **rest)
