"""Batches: balanced or natural, repeatable, and the same from wherever they are taken up."""

from itertools import pairwise

import numpy as np
import pytest

from model.data.cells import CellSet
from model.training.batches import BalancedBatches, NaturalBatches, chances


@pytest.fixture
def labelled(made_up_cells: CellSet) -> CellSet:
    return made_up_cells.take(made_up_cells.labels >= 0)


@pytest.fixture
def unlabelled(made_up_cells: CellSet) -> CellSet:
    return made_up_cells.take(made_up_cells.labels < 0)


@pytest.fixture
def balanced(labelled: CellSet, unlabelled: CellSet) -> BalancedBatches:
    return BalancedBatches(labelled, unlabelled, size=16, share=0.25, seed=3)


def test_each_pair_of_source_and_class_is_equally_likely(labelled: CellSet) -> None:
    each = chances(labelled)
    pairs = set(zip(labelled.sources, labelled.labels, strict=True))
    for source, label in pairs:
        share = each[(labelled.sources == source) & (labelled.labels == label)].sum()
        assert share == pytest.approx(1 / len(pairs))


def test_a_batch_ends_with_its_share_of_unlabelled_cells(balanced: BalancedBatches) -> None:
    cells, labels = balanced.batch(0)
    assert cells.shape == (16, 8, 8, 3)
    assert cells.dtype == np.uint8
    assert (labels[-4:] == -1).all()
    assert (labels[:-4] >= 0).all()


def test_a_batch_depends_on_seed_and_step_alone(
    labelled: CellSet, unlabelled: CellSet, balanced: BalancedBatches
) -> None:
    again = BalancedBatches(labelled, unlabelled, size=16, share=0.25, seed=3)
    for step in (7, 2):
        for one, other in zip(again.batch(step), balanced.batch(step), strict=True):
            assert np.array_equal(one, other)
    assert not np.array_equal(balanced.batch(2)[0], balanced.batch(7)[0])


def test_a_natural_pass_shows_each_cell_once_and_the_next_shuffles_anew(
    labelled: CellSet, unlabelled: CellSet
) -> None:
    natural = NaturalBatches(labelled, unlabelled, size=64, share=0.0, seed=3)
    assert natural.one_pass == 6  # 370 cells, 64 at a time
    draw = np.random.default_rng(0)
    passes = [
        [natural._chosen(number * 6 + step, draw) for step in range(6)] for number in range(3)
    ]
    for one in passes:
        assert sorted(np.concatenate(one)) == list(range(len(labelled)))
        assert [len(batch) for batch in one] == [64] * 5 + [50]
    for one, other in pairwise(passes):
        assert not np.array_equal(one[0], other[0])
