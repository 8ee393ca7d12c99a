"""Runs of a comparison put together: seeds and folds of one model on one kind of split."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from model.errors import ModelError
from model.evaluation.pairs import Pair, paired
from model.evaluation.runs import Run
from model.evaluation.scores import Sample


@dataclass(frozen=True)
class Entry:
    """One model on one kind of split, under one seed or several."""

    title: str
    split: str
    """Without the fold, such as `kfold`."""
    weights: str
    """Where its weights come from: a network from scratch is not one with ImageNet's."""
    runs: tuple[Run, ...]

    @property
    def leak(self) -> str:
        """How its split leaks; empty where it does not."""
        return next((run.leak for run in self.runs if run.leak), "")

    @cached_property
    def known(self) -> tuple[int, ...]:
        """Classes that a run of it knows."""
        return tuple(sorted({label for run in self.runs for label in run.predictions.known}))

    @cached_property
    def sample(self) -> Sample:
        """All its predictions."""
        return Sample.of(
            [run.predictions for run in self.runs], [run.abstain_below for run in self.runs]
        )

    @property
    def trials(self) -> str:
        """Its seeds and folds in words."""
        names = ", ".join(trial(run) for run in self.runs)
        return names if len(self.runs) == 1 else f"{len(self.runs)} runs: {names}"


def entries(runs: Sequence[Run]) -> list[Entry]:
    """Put runs of one title, split and kind of weights together, in the order given.

    Runs that share title, split and seed were made in different ways that nobody named: they are
    kept apart, by the names of their folders.

    Raises:
        ModelError: there are none.
    """
    if not runs:
        raise ModelError("no runs to compare")
    together: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        together.setdefault((run.title, kind_of_split(run.split), run.weights), []).append(run)
    found = []
    ambiguous = _ambiguous(runs)
    for (name, split, weights), members in together.items():
        title = f"{name}, {origin(weights)}" if name in ambiguous else name
        if len({trial(run) for run in members}) == len(members):
            found.append(Entry(title, split, weights, tuple(members)))
        else:
            found += [
                Entry(f"{title} ({run.folder.name})", split, weights, (run,)) for run in members
            ]
    return found


def _ambiguous(runs: Sequence[Run]) -> set[str]:
    """Titles that stand for networks with weights of several origins."""
    pairs = {(run.title, run.weights) for run in runs}
    titles = [title for title, _ in pairs]
    return {title for title in titles if titles.count(title) > 1}


def origin(weights: str) -> str:
    """Where weights come from, without the digest of their file."""
    return weights.partition(", sha256")[0] or "weights of unknown origin"


def kind_of_split(split: str) -> str:
    """`kfold:2/5` is one of `kfold`."""
    return "kfold" if split.startswith("kfold") else split


def trial(run: Run) -> str:
    """What tells a run from the others of its entry."""
    seed = "unknown seed" if run.seed is None else f"seed {run.seed}"
    return f"fold {run.split.partition(':')[2]}, {seed}" if run.split.startswith("kfold") else seed


def pairs(found: Sequence[Entry]) -> list[Pair]:
    """The first model of each kind of split and set of classes against the others."""
    compared = []
    firsts: dict[tuple[str, tuple[int, ...]], Entry] = {}
    for entry in found:
        first = firsts.setdefault((entry.split, entry.known), entry)
        if first is not entry and (pair := _pair(first, entry)):
            compared.append(pair)
    return compared


def _pair(first: Entry, second: Entry) -> Pair | None:
    others = {trial(run): run for run in second.runs}
    common = [(trial(run), run, others[trial(run)]) for run in first.runs if trial(run) in others]
    return paired(
        (f"{first.title}, {first.split}", f"{second.title}, {second.split}"),
        [(name, one.predictions, two.predictions) for name, one, two in common],
    )
