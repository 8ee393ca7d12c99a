"""Batches: balanced, repeatable, and the same from wherever they are taken up."""

import numpy as np
import pytest

from model.data.cells import CellSet
from model.training.batches import BalancedBatches, chances


@pytest.fixture
def batches(made_up_cells: CellSet) -> BalancedBatches:
    labelled = made_up_cells.take(made_up_cells.labels >= 0)
    unlabelled = made_up_cells.take(made_up_cells.labels < 0)
    return BalancedBatches(labelled, unlabelled, size=16, share=0.25, seed=3)


def test_each_pair_of_source_and_class_is_equally_likely(made_up_cells: CellSet) -> None:
    labelled = made_up_cells.take(made_up_cells.labels >= 0)
    each = chances(labelled)
    pairs = set(zip(labelled.sources, labelled.labels, strict=True))
    for source, label in pairs:
        share = each[(labelled.sources == source) & (labelled.labels == label)].sum()
        assert share == pytest.approx(1 / len(pairs))


def test_a_batch_ends_with_its_share_of_unlabelled_cells(batches: BalancedBatches) -> None:
    cells, labels = batches.batch(0)
    assert cells.shape == (16, 8, 8, 3)
    assert cells.dtype == np.uint8
    assert (labels[-4:] == -1).all()
    assert (labels[:-4] >= 0).all()


def test_a_training_taken_up_sees_the_batches_it_would_have_seen(
    batches: BalancedBatches,
) -> None:
    stream = batches.endless()
    for _ in range(5):
        next(stream)
    cells, labels = next(batches.endless(first=5))
    wanted_cells, wanted_labels = next(stream)
    assert np.array_equal(cells, wanted_cells)
    assert np.array_equal(labels, wanted_labels)
    assert not np.array_equal(cells, batches.batch(4)[0])
