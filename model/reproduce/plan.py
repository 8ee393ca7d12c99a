"""What is run, in which order, and what a budget leaves of it: by settings and counts alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from model.reproduce.experiments import Experiment
from model.reproduce.networks import NETWORKS, UNIT, Network
from model.reproduce.settings import Reproduction

TRAINED: Final = 0.65
"""Share of an experiment's cells that a split trains on, about."""

USED: Final = 0.85
"""Share of the budget that is planned: cores are never wholly ours, and the pages take a minute."""


@dataclass(frozen=True)
class Job:
    """One run folder to be made."""

    experiment: Experiment
    split: str
    network: Network
    seed: int
    epochs: int
    seconds: float
    """CPU seconds that it takes, about."""

    @property
    def folder(self) -> str:
        """Of the run, below the folder of all runs."""
        split = self.split.replace(":", "-").replace("/", "of")
        return f"{self.experiment.name}/{split}/{self.network.name}-seed{self.seed}"


@dataclass(frozen=True)
class Plan:
    """All of it."""

    tasks: tuple[tuple[Job, ...], ...]
    """Jobs that one worker does one after the other: a network, then the SVM on its features."""
    notes: tuple[str, ...]
    """What the budget changed, in sentences."""

    @property
    def seconds(self) -> float:
        """CPU seconds, about."""
        return sum(job.seconds for task in self.tasks for job in task)


def plan(settings: Reproduction, found: Sequence[Experiment]) -> Plan:
    """First a seed of everything, cheap networks first, then the next seeds in the same order.

    A budget cuts passes and leaves out what is too dear, so that the first seed of everything
    fits; it does not say how many seeds follow: `carry_out` begins them while there is time.
    """
    places = [(one, split) for one in found for split in one.splits]
    whole = settings.budget * 60 * settings.workers * USED
    first: list[tuple[Job, ...]] = []
    notes: list[str] = []
    for network in NETWORKS:
        if not network.body:
            jobs, said = _first_seed(network, places, settings, whole)
            first += [_with_followers(job, settings) for job in jobs]
            notes += said
    first.sort(key=seconds)
    tasks = [
        tuple(replace(job, seed=seed) for job in task)
        for seed in range(1, settings.seeds + 1)
        for task in first
    ]
    return Plan(tuple(tasks), tuple(notes))


def _first_seed(
    network: Network,
    places: Sequence[tuple[Experiment, str]],
    settings: Reproduction,
    whole: float,
) -> tuple[list[Job], list[str]]:
    """One seed in every place, or in the first ones, with as many passes as its share allows."""
    wanted = [_job(network, place, 1, network.epochs, settings) for place in places]
    if not whole:
        return wanted, []
    for count in range(len(places), 0, -1):
        spent = count * network.start
        a_pass = sum(job.seconds - network.start for job in wanted[:count]) / network.epochs
        epochs = min(network.epochs, int((network.share * whole - spent) / a_pass))
        if epochs >= network.least:
            break
    else:
        return [], [f"{network.title}: left out, too dear for the budget."]
    notes = []
    if epochs < network.epochs:
        notes.append(f"{network.title}: {epochs} passes, not {network.epochs}.")
    if count < len(places):
        names = ", ".join(f"{one.name} {split}" for one, split in places[count:])
        notes.append(f"{network.title}: not run on {names}.")
    return [_job(network, place, 1, epochs, settings) for place in places[:count]], notes


def _with_followers(job: Job, settings: Reproduction) -> tuple[Job, ...]:
    place = (job.experiment, job.split)
    return (
        job,
        *(
            _job(network, place, job.seed, network.epochs, settings)
            for network in NETWORKS
            if network.body == job.network.name
        ),
    )


def _job(
    network: Network, place: tuple[Experiment, str], seed: int, epochs: int, settings: Reproduction
) -> Job:
    experiment, split = place
    side = max(network.side, settings.size)
    a_pass = TRAINED * experiment.cells * network.cost / 1000 * (side / UNIT) ** 2
    return Job(experiment, split, network, seed, epochs, network.start + epochs * a_pass)


def seconds(task: Sequence[Job]) -> float:
    """CPU seconds of a task, about."""
    return sum(job.seconds for job in task)


def jobs(tasks: Sequence[Sequence[Job]]) -> Iterator[Job]:
    """Every job."""
    for task in tasks:
        yield from task
