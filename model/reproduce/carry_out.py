"""Jobs done: each leaves a run folder, whole or not at all."""

import multiprocessing
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path
from typing import Final

from model import run
from model.baselines import study as baselines
from model.baselines.study import BODY
from model.config import TrainingConfig, save_config
from model.data.cells import CellSet
from model.data.mixture import Mixture, mix
from model.errors import ModelError
from model.labels import Class
from model.reproduce import networks
from model.reproduce.experiments import of_experiment, read
from model.reproduce.plan import Job, seconds
from model.reproduce.settings import Reproduction
from model.training import study as trainings
from model.training.study import Report

PARTIAL: Final = ".part"


def carry_out(
    tasks: Sequence[tuple[Job, ...]],
    settings: Reproduction,
    folder: Path,
    command: str,
    report: Report,
) -> list[Job]:
    """Do what is not done yet.

    Args:
        tasks: in the order in which they are begun.
        settings: of the reproduction.
        folder: of all runs.
        command: as it was typed, for the record.
        report: told of CPU seconds done and to do, by estimate.

    Returns:
        Jobs of further seeds that were not begun, as the time was up.

    Raises:
        ModelError: a worker died.
    """
    open_tasks = [task for task in tasks if not all(_done(folder, job) for job in task)]
    work = sum(seconds(task) for task in open_tasks)
    if settings.budget:
        work = min(work, settings.budget * 60 * settings.workers)
    progress = _Progress(report, work)
    if settings.workers == 1:
        doing = _one_by_one(open_tasks, settings, folder, command)
    else:
        doing = _side_by_side(open_tasks, settings, folder, command)
    left = []
    for task, begun in doing:
        progress.add(task)
        left += [] if begun else list(task)
    return left


def do(task: tuple[Job, ...], settings: Reproduction, folder: Path, command: str) -> None:
    """One task, in this process."""
    for job in task:
        if not _done(folder, job):
            _do(job, settings, folder, command)
    (folder / task[0].folder / BODY).unlink(missing_ok=True)


def _do(job: Job, settings: Reproduction, folder: Path, command: str) -> None:
    out = folder / job.folder
    writing = out.with_name(out.name + PARTIAL)
    shutil.rmtree(writing, ignore_errors=True)  # of a reproduction that was killed
    writing.mkdir(parents=True)
    cells = _cells(settings, job.experiment.name, job.experiment.classes)
    if job.network.recipe:
        config = networks.training(job.network, settings, job.seed, job.split, job.epochs)
        save_config(config, writing)
        trainings.study_of(_mixture(cells, config), config, writing, command, _unheard)
    else:
        body = out.parent / f"{job.network.body}-seed{job.seed}" / BODY
        wanted = networks.baseline(
            job.network,
            settings,
            job.seed,
            job.split,
            job.epochs,
            str(body) if job.network.body else "",
        )
        mixture = _mixture(cells, wanted.cells)
        baselines.study_of(mixture, wanted, writing, command, _unheard)
    _forget()
    writing.rename(out)


@lru_cache(maxsize=4)
def _cells(settings: Reproduction, name: str, classes: tuple[Class, ...]) -> CellSet:
    return of_experiment(settings, read(settings, _unheard), name, classes)


_mixtures: dict[str, Mixture] = {}
"""The last one of this process: networks of one split and seed come one after the other."""


def _mixture(cells: CellSet, config: TrainingConfig) -> Mixture:
    name = f"{id(cells)} {config.split} {config.split_seed}"
    if name not in _mixtures:
        _mixtures.clear()
        _mixtures[name] = mix(config, [cells])
    return _mixtures[name]


def _forget() -> None:
    """Keras keeps every graph until it is told not to."""
    import keras

    keras.backend.clear_session()


Doing = Iterator[tuple[tuple[Job, ...], bool]]


def _one_by_one(
    tasks: Sequence[tuple[Job, ...]], settings: Reproduction, folder: Path, command: str
) -> Doing:
    clock = _Clock(settings)
    for task in tasks:
        begun = clock.allows(task)
        if begun:
            do(task, settings, folder, command)
        yield task, begun


def _side_by_side(
    tasks: Sequence[tuple[Job, ...]], settings: Reproduction, folder: Path, command: str
) -> Doing:
    clock = _Clock(settings)
    waiting = list(reversed(tasks))
    running: dict[Future[None], tuple[Job, ...]] = {}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(settings.workers, context) as pool:
        while waiting or running:
            while waiting and len(running) < settings.workers:
                task = waiting.pop()
                if not clock.allows(task):
                    yield task, False
                    continue
                running[pool.submit(do, task, settings, folder, command)] = task
            for future in wait(running, return_when=FIRST_COMPLETED).done if running else ():
                task = running.pop(future)
                _result(future, task)
                yield task, True


def _result(future: "Future[None]", task: tuple[Job, ...]) -> None:
    try:
        future.result()
    except BrokenProcessPool as error:
        raise ModelError(
            f"a worker died at {task[0].folder}, perhaps for want of memory: run it again with "
            "--workers 1; what is finished stays"
        ) from error


class _Clock:
    """Whether another seed may be begun. The first seed of everything always is."""

    def __init__(self, settings: Reproduction) -> None:
        self._end = time.monotonic() + settings.budget * 60 if settings.budget else float("inf")

    def allows(self, task: tuple[Job, ...]) -> bool:
        return task[0].seed == 1 or time.monotonic() + seconds(task) < self._end


class _Progress:
    """Told in seconds of work, so that the time left is about right."""

    def __init__(self, report: Report, work: float) -> None:
        self._report = report
        self._total = max(1, round(work))
        self._done = 0.0

    def add(self, task: tuple[Job, ...]) -> None:
        self._done += seconds(task)
        done = min(self._total, max(1, round(self._done)))
        self._report("runs, seconds of work", done, self._total, task[-1].folder)


def _done(folder: Path, job: Job) -> bool:
    return (folder / job.folder / run.FACTS).exists()


def _unheard(stage: str, done: int, total: int, word: str = "") -> None:
    """The worker's own progress is nobody's: jobs are counted."""
