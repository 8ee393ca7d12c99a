"""Strangers: how they are measured, and what counts as one."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from model.bundle import ood, strangers
from model.cli import app
from model.evaluation.measures import Numbers

RUN = CliRunner()


def seen(features: Numbers, logits: Numbers) -> ood.Seen:
    return ood.Seen(features, logits, logits.max(axis=1))


@pytest.fixture
def known() -> tuple[Numbers, ood.Names]:
    """Two groups of features, one channel a hundred times as wide as the other."""
    draw = np.random.default_rng(0)
    groups = np.repeat(["pbc 2", "simulator 1"], 400)
    middles = np.where(groups[:, None] == "pbc 2", [0.0, 0.0], [500.0, 5.0])
    return middles + draw.normal(size=(800, 2)) * [100.0, 1.0], groups


def test_distance_is_counted_in_the_spread_of_each_direction(
    known: tuple[Numbers, ood.Names],
) -> None:
    ruler = ood.fit_ruler(*known)
    along, across = ruler.distance(np.array([[-300.0, 0.0], [0.0, -3.0]]))
    assert along == pytest.approx(3, rel=0.15)
    assert across == pytest.approx(3, rel=0.15)


def test_distance_is_to_the_nearest_group(known: tuple[Numbers, ood.Names]) -> None:
    ruler = ood.fit_ruler(*known)
    middles = np.array([[0.0, 0.0], [500.0, 5.0], [250.0, 2.5]])
    near, other, between = ruler.distance(middles)
    assert max(near, other) < 0.3
    assert between > 2


def test_the_threshold_keeps_its_share_of_real_and_of_drawn_cells_alike(
    known: tuple[Numbers, ood.Names], tmp_path: Path
) -> None:
    features, groups = known
    wide = features.copy()
    wide[groups == "pbc 2"] *= 1.5
    sources = np.where(groups == "pbc 2", "pbc", "simulator")
    measured = ood.Measured(ood.fit_ruler(features, groups), seen(wide, wide), sources)
    distances = measured.ruler.distance(wide)
    above = measured.threshold()
    for source in ("pbc", "simulator"):
        assert (distances[sources == source] <= above).mean() >= 0.98
    ood.save(tmp_path / "ood.npz", measured)
    again = ood.load(tmp_path / "ood.npz")
    assert again is not None
    assert again.threshold() == pytest.approx(above, rel=1e-5)
    assert ood.load(tmp_path / "none.npz") is None


def test_strangers_that_lie_among_the_cells_are_found_once_they_are_learned(
    known: tuple[Numbers, ood.Names], tmp_path: Path
) -> None:
    features, groups = known
    draw = np.random.default_rng(5)
    platelets = np.array([200.0, -2.0]) + draw.normal(size=(60, 2)) * [30.0, 0.3]
    sources = np.where(groups == "pbc 2", "pbc", "simulator")
    plain = ood.Measured(ood.fit_ruler(features, groups), seen(features, features), sources)
    assert (plain.ruler.distance(platelets) > plain.threshold()).mean() < 0.9
    taught = ood.learn_strangers(plain, platelets[:30])
    above = taught.threshold()
    assert (taught.ruler.distance(platelets[30:]) > above).mean() > 0.95
    assert (taught.ruler.distance(features) <= above).mean() >= 0.975
    far = np.array([[0.0, 60.0], [9000.0, 0.0]])
    assert (taught.ruler.distance(far) > above).all()
    assert (plain.name, taught.name) == ("mahalanobis", "mahalanobis, platelets learned")
    ood.save(tmp_path / "ood.npz", taught)
    again = ood.load(tmp_path / "ood.npz")
    assert again is not None
    assert np.allclose(again.ruler.distance(far), taught.ruler.distance(far))


def test_every_score_is_higher_for_the_stranger(known: tuple[Numbers, ood.Names]) -> None:
    features, groups = known
    sure = np.tile([8.0, -4.0, -4.0], (len(features), 1))
    lost = np.tile([0.1, 0.0, -0.1], (50, 1))
    ruler = ood.fit_ruler(features, groups)
    cells = ood.scores(seen(features, sure), ruler, 1.0)
    strange = ood.scores(seen(features[:50] - (0.0, 40.0), lost), ruler, 1.0)
    found = ood.detections(cells, cells, [("red cells", strange)])
    assert {one.score for one in found} == {
        "mahalanobis",
        "energy",
        "probability",
        "discriminator",
    }
    for one in found:
        assert one.auroc == 1
        assert one.detected == {"0.95": 1, "0.98": 1}


def test_kept_cells_are_counted_source_by_source() -> None:
    values = np.array([1.0, 2.0, 3.0, 9.0], np.float32)
    sources = np.array(["lmu", "lmu", "pbc", "pbc"])
    assert ood.kept(values, sources, 2.5) == [
        ood.Kept("lmu", 1.0, 2),
        ood.Kept("pbc", 0.0, 2),
    ]


def test_strangers_that_need_no_pictures_are_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "EACH", 4)
    cells = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
    made = dict(strangers.strangers(None, cells))
    assert made.keys() == {
        "empty places of simulated fields",
        "strongly blurred white cells",
        "photographs",
        "noise",
    }
    for some in made.values():
        assert some.shape[1:] == (32, 32, 3)
        assert 3 <= len(some) <= 4
    assert np.ptp(made["strongly blurred white cells"].astype(int)) < np.ptp(cells.astype(int))


def test_red_cells_are_cut_where_the_annotations_have_no_white_cell(real_images: Path) -> None:
    draw = np.random.default_rng(0)
    for name in ("RBC", "Platelets"):
        cells = list(islice(strangers._boxed(real_images, name, 64, draw), 3))
        assert len(cells) == 3
        assert all(cell.shape == (64, 64, 3) for cell in cells)


def test_of_a_bundle_it_is_told_what_it_answers(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(strangers, "EACH", 4)
    done = RUN.invoke(app, ["ood", str(tiny_bundle), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["strangers"]
    assert len(told) == 4
    for one in told:
        assert 0 <= one["found"] <= one["unidentified"] <= 1


def test_of_a_run_the_scores_are_compared(tiny_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strangers, "EACH", 3)
    done = RUN.invoke(app, ["ood", str(tiny_run), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert len(told["detections"]) == 4 * 4
    assert told["kept"].keys() == {"mahalanobis", "energy", "probability", "discriminator"}


def test_platelets_are_learned_from_a_folder_that_has_them(tiny_run: Path) -> None:
    done = RUN.invoke(app, ["ood", str(tiny_run), "--learn-platelets"])
    assert done.exit_code == 1
    assert "needs a run and --data DIR" in done.stderr


def test_a_folder_of_data_that_is_none_is_named(tiny_bundle: Path) -> None:
    done = RUN.invoke(app, ["ood", str(tiny_bundle), "--data", "/nowhere"])
    assert done.exit_code == 1
    assert "/nowhere is no folder" in done.stderr
