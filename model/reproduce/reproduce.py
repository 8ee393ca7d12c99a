"""From settings to pages."""

from pathlib import Path
from typing import Any

from model.data.cells import CellSet
from model.reproduce.carry_out import carry_out
from model.reproduce.experiments import experiments, read
from model.reproduce.pages import write_pages
from model.reproduce.plan import Plan, plan
from model.reproduce.settings import Reproduction
from model.training.study import Report


def reproduce(
    settings: Reproduction, runs: Path, out: Path, command: str, report: Report
) -> dict[str, Any]:
    """Run what is not run yet, and write the pages.

    Args:
        settings: what to run.
        runs: folder of all run folders. They hold pictures of cells: not to be passed on.
        out: folder of the pages, which show none.
        command: as it was typed, for the record.
        report: is told how far it is.

    Returns:
        What `report.json` in `out` holds.

    Raises:
        ModelError: the data cannot be read or do not suffice, or a worker died.
    """
    wanted = planned(settings, read(settings, report))
    left = carry_out(wanted.tasks, settings, runs, command, report)
    return write_pages(wanted, settings, runs, out, command, left)


def planned(settings: Reproduction, every: CellSet) -> Plan:
    """The plan for these cells."""
    return plan(settings, experiments(settings, every))
