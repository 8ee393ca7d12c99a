"""What is planned: everything once first, then more seeds; a budget is kept to and told about."""

import numpy as np
import pytest

from model.data.cells import CellSet
from model.errors import ModelError
from model.labels import UNKNOWN, number
from model.reproduce.experiments import BINARY, THREE, Experiment, experiments, of_experiment
from model.reproduce.networks import NETWORKS, PLAIN
from model.reproduce.plan import jobs, plan
from model.reproduce.settings import Reproduction

ALL, AML, NORMAL = (number(name) for name in ("ALL", "AML", "Normal"))


def cells(*counts: tuple[str, int, int]) -> CellSet:
    """Source, label and how many."""
    sources = np.array([source for source, _, count in counts for _ in range(count)])
    labels = np.array([label for _, label, count in counts for _ in range(count)])
    names = np.array([f"c{n}" for n in range(len(labels))])
    pixels = np.zeros((len(labels), 1, 4, 4, 3), np.uint8)
    return CellSet(pixels, labels, sources, names, sources, names, names)


def wanted(**given: object) -> Reproduction:
    return Reproduction.model_validate({"data": ("all-idb:x",), **given})


EXPERIMENT = Experiment(BINARY, ("AML", "Normal"), ("random", "group"), 1500)


def test_the_paper_s_own_data_give_its_two_experiments() -> None:
    every = cells(("all-idb", ALL, 9), ("all-idb", NORMAL, 9), ("ash", AML, 5))
    binary, three = experiments(wanted(), every)
    assert (binary.name, binary.classes, binary.cells) == (BINARY, ("ALL", "Normal"), 18)
    assert (three.name, three.cells) == (THREE, 23)
    assert binary.splits == ("random", "group")


def test_a_source_with_one_class_is_no_part_of_the_binary_experiment() -> None:
    every = cells(
        ("deepapl", AML, 6), ("deepapl", NORMAL, 6), ("pbc", NORMAL, 4), ("lmu", AML, 2),
        ("lmu", NORMAL, 2), ("cnmc", ALL, 2), ("cnmc", NORMAL, 2), ("bccd", UNKNOWN, 3),
    )  # fmt: skip
    (binary,) = experiments(wanted(), every)
    assert binary.classes == ("AML", "Normal")
    kept = of_experiment(wanted(), every, binary.name, binary.classes)
    assert set(kept.sources.tolist()) == {"deepapl", "lmu", "bccd"}


def test_a_source_is_left_out_only_where_another_shows_its_classes() -> None:
    every = cells(
        ("deepapl", AML, 6), ("deepapl", NORMAL, 6), ("pbc", NORMAL, 6),
        ("simulator", ALL, 6), ("simulator", AML, 6), ("simulator", NORMAL, 6),
    )  # fmt: skip
    binary, three = experiments(wanted(), every)
    assert binary.splits == ("random", "group")
    assert three.splits == ("random", "group", "leave-out:deepapl")


def test_cells_are_drawn_in_equal_shares_of_source_and_class() -> None:
    every = cells(("a", AML, 100), ("a", NORMAL, 300), ("b", NORMAL, 10))
    kept = of_experiment(wanted(at_most=90), every, THREE, ("ALL", "AML", "Normal"))
    pairs = [f"{s}{label}" for s, label in zip(kept.sources, kept.labels, strict=True)]
    assert {pair: pairs.count(pair) for pair in set(pairs)} == {
        f"a{AML}": 40, f"a{NORMAL}": 40, f"b{NORMAL}": 10,
    }  # fmt: skip
    again = of_experiment(wanted(at_most=90), every, THREE, ("ALL", "AML", "Normal"))
    assert np.array_equal(kept.keys, again.keys)


def test_cells_that_allow_no_experiment_are_refused() -> None:
    with pytest.raises(ModelError, match="no experiment is possible"):
        experiments(wanted(), cells(("pbc", NORMAL, 9), ("ash", AML, 9)))


def test_without_a_budget_every_network_has_every_seed_and_pass() -> None:
    found = list(jobs(plan(wanted(seeds=3), [EXPERIMENT]).tasks))
    assert len(found) == len(NETWORKS) * 2 * 3
    assert len({job.folder for job in found}) == len(found)
    assert all(job.epochs == job.network.epochs for job in found)


def test_the_svm_comes_right_after_the_network_whose_features_it_takes() -> None:
    tasks = plan(wanted(seeds=1), [EXPERIMENT]).tasks
    followers = {task[0].network.name: [job.network.name for job in task[1:]] for task in tasks}
    assert followers["densenet121"] == ["densenet121-svm"]
    assert followers["vgg16"] == []


@pytest.mark.parametrize("minutes", [8, 12, 22, 60])
def test_a_budget_is_kept_to_and_what_it_took_away_is_told(minutes: int) -> None:
    made = plan(wanted(seeds=5, budget=minutes, workers=2), [EXPERIMENT])
    first = [job for job in jobs(made.tasks) if job.seed == 1]
    assert sum(job.seconds for job in first) <= minutes * 60 * 2
    ours = {job.network.name for job in first if job.split == "group"}
    assert {*PLAIN, *PLAIN.values(), "cnn", "histogram", "border"} <= ours
    cut = {job.network.title for job in first if job.epochs < job.network.epochs}
    assert all(any(title in note for note in made.notes) for title in cut)


def test_every_seed_has_a_split_of_its_own_and_keeps_it_over_networks() -> None:
    from model.reproduce.networks import baseline, training

    net, forest = NETWORKS[0], NETWORKS[-1]
    one, other = (training(net, wanted(), seed, "group", 3) for seed in (1, 2))
    assert one.split_seed != other.split_seed
    assert baseline(forest, wanted(), 2, "group", 3, "").cells.split_seed == other.split_seed
