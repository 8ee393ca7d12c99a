"""Nobody's cells lie on two sides, and what must stay outside stays outside."""

from itertools import combinations

import numpy as np

from model.data.cells import CellSet, digest
from model.data.split import split


def test_no_patient_lies_on_two_sides(made_up_cells: CellSet) -> None:
    parts = split(made_up_cells, seed=1)
    sides = {
        part: set(made_up_cells.groups[parts == part]) for part in ("train", "validation", "test")
    }
    assert all(sides.values())
    for one, other in combinations(sides.values(), 2):
        assert not one & other


def test_a_quarter_of_the_groups_is_held_out_of_each_source(made_up_cells: CellSet) -> None:
    parts = split(made_up_cells, seed=1)
    for source in ("deepapl", "pbc"):
        mine = made_up_cells.sources == source
        everyone = len(set(made_up_cells.groups[mine]))
        held_out = len(set(made_up_cells.groups[mine & (parts == "test")]))
        assert abs(held_out - everyone / 4) <= 1


def test_the_outside_laboratory_is_never_trained_on(made_up_cells: CellSet) -> None:
    parts = split(made_up_cells, seed=1)
    assert set(parts[made_up_cells.sources == "lmu"]) == {"outside"}


def test_a_source_left_out_is_outside_too(made_up_cells: CellSet) -> None:
    parts = split(made_up_cells, seed=1, leave_out=("pbc",))
    assert set(parts[made_up_cells.sources == "pbc"]) == {"outside"}
    assert "train" in parts[made_up_cells.sources == "deepapl"]


def test_cells_without_a_label_train_the_source_head_only(made_up_cells: CellSet) -> None:
    parts = split(made_up_cells, seed=1)
    assert set(parts[made_up_cells.labels == -1]) == {"unlabelled"}


def test_the_split_seed_alone_decides(made_up_cells: CellSet) -> None:
    turned = np.random.default_rng(0).permutation(len(made_up_cells))
    there = dict(zip(made_up_cells.keys, split(made_up_cells, seed=1), strict=True))
    shuffled = CellSet(**{k: v[turned] for k, v in vars(made_up_cells).items()})
    again = dict(zip(shuffled.keys, split(shuffled, seed=1), strict=True))
    other = dict(zip(made_up_cells.keys, split(made_up_cells, seed=2), strict=True))
    assert there == again
    assert there != other


def test_the_data_digest_changes_with_a_label_and_not_with_the_order(
    made_up_cells: CellSet,
) -> None:
    parts = split(made_up_cells, seed=1)
    turned = np.random.default_rng(0).permutation(len(made_up_cells))
    shuffled = CellSet(**{k: v[turned] for k, v in vars(made_up_cells).items()})
    before = digest(made_up_cells, parts)
    assert digest(shuffled, parts[turned]) == before
    made_up_cells.labels[0] = 0
    assert digest(made_up_cells, parts) != before
