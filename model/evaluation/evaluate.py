"""The report on one run: its figures measured and written."""

from pathlib import Path

import msgspec

from model.evaluation import validation
from model.evaluation.breakdown import Row as Part
from model.evaluation.breakdown import by_group, by_kind
from model.evaluation.predictions import Predictions
from model.evaluation.render import write
from model.evaluation.runs import Run, read_run
from model.evaluation.scopes import REAL, Scope, scopes, sources
from model.evaluation.scores import Sample, Scores, score


class Report(msgspec.Struct, frozen=True):
    """What `report.json` holds. An interval is value, low, high; null is no value."""

    title: str
    seed: int | None
    split: str
    leak: str
    scopes: list[Scores]
    sources: list[Scores]
    kinds: list[Part]
    groups: list[Part]
    rescalings: list[validation.Rescaling]
    conformal: validation.Sets | None


def evaluate_run(run: Path, out: Path, *, pictures: bool = True) -> Report:
    """Write the report on a finished run: report.md, report.html, report.json and PNG files.

    Args:
        run: its folder, with predictions.csv and facts.json.
        out: folder for the report.
        pictures: show the worst errors, where the run kept its cells. Cells of a data set may be
            under terms that forbid passing them on: never publish such a report.

    Returns:
        The figures.

    Raises:
        ModelError: the folder is no finished run, or a file of it is damaged.
    """
    from model.evaluation.run_page import page

    read = read_run(run)
    report = measure(read)
    write(page(read, report, pictures=pictures), report, out)
    return report


def measure(run: Run) -> Report:
    """Every figure of a run."""
    said = run.predictions
    whole = Sample.of([said], [run.abstain_below])
    checked = run.validation
    believed = _believed(said)
    return Report(
        title=run.title,
        seed=run.seed,
        split=run.split,
        leak=run.leak,
        scopes=[_score(run, whole, scope) for scope in scopes(said)],
        sources=[_score(run, whole, scope) for scope in sources(said)],
        kinds=by_kind(whole),
        groups=by_group(whole),
        rescalings=validation.rescalings(checked, believed) if checked else [],
        conformal=validation.conformal(checked, believed) if checked else None,
    )


def _believed(said: Predictions) -> Predictions:
    """The cells that confidence is judged on: held-out real ones where there are any."""
    found = scopes(said)
    real = next((scope for scope in found if scope.name == REAL), found[0])
    return said.take(real.rows)


def _score(run: Run, whole: Sample, scope: Scope) -> Scores:
    return score(scope.name, whole.take(scope.rows), run.predictions.known)
