"""The pages of a reproduction: a comparison for each experiment, and what comes of them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from model import run
from model.evaluation.compare import Compared, Comparison, compare_runs
from model.evaluation.measures import Interval
from model.evaluation.page import NOTICE
from model.reproduce.experiments import Experiment
from model.reproduce.networks import NETWORKS, PLAIN
from model.reproduce.plan import Job, Plan, jobs
from model.reproduce.settings import Reproduction

TITLES: Final = {network.name: network.title for network in NETWORKS}
ORDER: Final = {network.name: place for place, network in enumerate(NETWORKS)}


def write_pages(
    plan: Plan,
    settings: Reproduction,
    runs: Path,
    out: Path,
    command: str,
    left: Sequence[Job] = (),
) -> dict[str, Any]:
    """Write OUT/index.md, OUT/report.json and a comparison for each experiment in a folder of OUT.

    Args:
        plan: what was to be run.
        settings: of the reproduction.
        runs: folder of all runs.
        out: folder for the pages; none of them shows a cell.
        command: as it was typed.
        left: jobs that were not begun.

    Returns:
        What `report.json` holds.
    """
    out.mkdir(parents=True, exist_ok=True)
    text, told = _head(settings, command), {}
    for experiment in dict.fromkeys(job.experiment for job in jobs(plan.tasks)):
        folders = _folders(plan, runs, experiment)
        compared = compare_runs(folders, out / experiment.name, experiment.title)
        found = list(_verdicts(compared))
        text += _section(experiment, compared, found, folders)
        told[experiment.name] = {
            "classes": experiment.classes,
            "cells": experiment.cells,
            "report": f"{experiment.name}/report.json",
            "beside_plain": found,
        }
    notes = [*plan.notes, *_left(left)]
    text += _notes(notes)
    facts = {"command": command, "settings": settings.model_dump(), "notes": notes, **told}
    (out / "index.md").write_text("\n".join(text) + "\n")
    (out / "report.json").write_text(json.dumps(facts, indent=2) + "\n")
    return facts


def _folders(plan: Plan, runs: Path, experiment: Experiment) -> list[Path]:
    """Finished runs of an experiment: split after split, networks in the order of the list."""
    mine = [job for job in jobs(plan.tasks) if job.experiment == experiment]
    splits = list(experiment.splits)
    mine.sort(key=lambda job: (splits.index(job.split), ORDER[job.network.name], job.seed))
    return [runs / job.folder for job in mine if (runs / job.folder / run.FACTS).exists()]


def _head(settings: Reproduction, command: str) -> list[str]:
    read = [*settings.data, *settings.aml]
    read += [f"simulator:{settings.simulator}"] if settings.simulator else []
    small = ["", "**A small run: it shows that all of it works. Its figures mean nothing.**"]
    return [
        "# The paper's networks, side by side",
        "",
        '!!! warning "Research use only"',
        f"    {NOTICE}",
        *(small if settings.small else []),
        "",
        "Karar et al., Sensors 2022, 22, 2348, compare an AC-GAN with VGG-16, ResNet-50 and "
        "DenseNet-121 under a random 80:20 split. Here the same networks, and simpler ones, see "
        "the same cells under that split and under ones where no patient, slide or parent image "
        "lies on two sides.",
        "",
        f"Cells: {', '.join(f'`{_shown(one)}`' for one in read)}; input {settings.size}×"
        f"{settings.size}, {'pictures whole' if settings.cut == 'whole' else 'cut as found'}. "
        "Every network sees the same cells; the epoch and the temperature are chosen on a "
        "validation part, the test part is looked at once.",
        "",
        f"Made by `{command}`.",
    ]


def _shown(typed: str) -> str:
    """A source without the folders of this machine."""
    kind, colon, where = typed.partition(":")
    return f"{kind}:{Path(where).name}" if colon else Path(typed).name


def _section(
    experiment: Experiment, compared: Comparison, found: list[dict[str, Any]], runs: Sequence[Path]
) -> list[str]:
    lines = [
        "",
        f"## {', '.join(experiment.classes)}",
        "",
        f"{experiment.cells} cells with a label. All figures, confusion matrices and tests: "
        f"[the comparison]({experiment.name}/report.md).",
        "",
        "| model | split | runs | accuracy | balanced accuracy | border control, balanced |",
        "|---|---|---|---|---|---|",
        *map(_row, compared.entries),
        "",
        "Under *random*, cells of one patient, slide or parent image lie on both sides: those "
        "lines are what the paper's protocol measures, not how good a model is.",
        "",
        "**The AC-GAN beside its own discriminator trained plainly**, on the same cells:",
        "",
        *(f"- {one['sentence']}" for one in found),
    ]
    return [*lines, *_weights(runs)]


def _row(one: Compared) -> str:
    headline = one.scopes[0]
    split = f"{one.split} (leaks)" if one.leak else one.split
    figures = (_figure(headline.accuracy), _figure(headline.balanced_accuracy))
    control = f"{headline.border_balanced_accuracy:.3f}"
    return f"| {one.title} | {split} | {len(one.runs)} | {' | '.join(figures)} | {control} |"


def _figure(value: Interval) -> str:
    return f"{value.value:.3f} ({value.low:.3f} to {value.high:.3f})"


def _verdicts(compared: Comparison) -> Iterator[dict[str, Any]]:
    """Each AC-GAN against its discriminator, split by split; means over the seeds of both."""
    by_name = {(one.title, one.split): one for one in compared.entries}
    for (title, split), one in by_name.items():
        plain = next((p for name, p in PLAIN.items() if TITLES[name] == title), None)
        other = by_name.get((TITLES[plain], split)) if plain else None
        if other:
            yield _verdict(one, other)


def _verdict(one: Compared, plain: Compared) -> dict[str, Any]:
    names = {trial.name for trial in one.runs} & {trial.name for trial in plain.runs}
    mine, theirs = (_mean(entry, names) for entry in (one, plain))
    difference = round(mine - theirs, 4)
    word = "not as good" if difference < 0 else "level" if difference == 0 else "better"
    return {
        "model": one.title,
        "split": one.split,
        "seeds": len(names),
        "difference": difference,
        "sentence": f"{one.title}, {one.split}: **{word}**. Balanced accuracy {mine:.3f} against "
        f"{theirs:.3f} ({difference:+.3f}; mean of {len(names)} seeds, each on its own split).",
    }


def _mean(entry: Compared, names: set[str]) -> float:
    values = [one.figures["balanced_accuracy"] for one in entry.runs if one.name in names]
    return sum(values) / len(values)


def _weights(runs: Sequence[Path]) -> list[str]:
    """Where the networks' first weights came from, as their runs say."""
    said: dict[str, None] = {}
    for folder in runs:
        facts = run.load_facts(folder)
        if "weights" in facts and facts["weights"] != "no network":
            said[f"{facts['title']}: {facts['weights']}, {facts['epochs']} passes"] = None
    return ["", "First weights. " + "; ".join(said) + "."] if said else []


def _left(left: Sequence[Job]) -> list[str]:
    if not left:
        return []
    counts = Counter(job.network.title for job in left)
    names = ", ".join(f"{title} ({count})" for title, count in sorted(counts.items()))
    return [f"Runs of further seeds not begun, as the time was up: {names}."]


def _notes(notes: Sequence[str]) -> list[str]:
    if not notes:
        return []
    return ["", "## What the budget changed", "", *(f"- {note}" for note in notes)]
