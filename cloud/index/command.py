"""`leukoscope-cloud reindex`."""

import asyncio
import sys

import msgspec
from rich.console import Console

from cloud.index.index import IndexTroubleError
from cloud.index.open import open_index
from cloud.index.reindex import Reindexer, Report
from cloud.reviews.signing import ReviewKeyError, configured_keys
from cloud.settings import CloudSettings
from cloud.stores.objects import Objects, open_store
from wire.logs import configure

_SHOWN = 20


def run_reindex(settings: CloudSettings, *, mend: bool, as_json: bool) -> int:
    """Run it and say what it found; the exit code."""
    configure(json=settings.log_json)
    console = Console(stderr=True)
    try:
        trusted = configured_keys(settings)
        index = open_index(settings)
    except (IndexTroubleError, ReviewKeyError) as error:
        console.print(f"[red]leukoscope-cloud:[/red] {error}", highlight=False, soft_wrap=True)
        return 1
    troubles: set[str] = set()

    def store_said(trouble: str | None) -> None:
        if trouble is not None and trouble not in troubles:
            troubles.add(trouble)
            console.print(f"· the store does not answer, waiting: {trouble}", soft_wrap=True)

    objects = Objects(open_store(settings.store), settings.retry_max_s, store_said)
    try:
        reindexer = Reindexer(
            objects,
            index,
            lambda said: console.print(f"· {said}", soft_wrap=True),
            trusted=trusted,
            mend=mend,
        )
        report = asyncio.run(reindexer.run())
    finally:
        index.close()
    if as_json:
        sys.stdout.write(msgspec.json.encode(report).decode() + "\n")
    else:
        _show(report, Console(), mend=mend)
    return 0 if (mend or report.same) and not report.unsound else 1


def _show(report: Report, console: Console, *, mend: bool) -> None:
    console.print(f"{report.results} results of {report.slides} slides read from the bucket.")
    if report.same:
        console.print("The projection says the same: it holds nothing of its own.")
    else:
        done = "mended" if mend else "different"
        console.print(f"{len(report.mended)} slides {done}: {_some(report.mended)}")
    if report.entries_written:
        done = "written" if mend else "missing"
        console.print(
            f"{report.entries_written} slide entries {done} (of results of an earlier version)."
        )
    if report.unreadable:
        console.print(f"{len(report.unreadable)} results unreadable: {_some(report.unreadable)}")
    if report.unsound:
        slides = "1 slide has" if len(report.unsound) == 1 else f"{len(report.unsound)} slides have"
        console.print(
            f"{slides} reviews that are not as they were written. They "
            "are left out: run leukoscope-cloud verify, and tell the lead.",
            soft_wrap=True,
        )
        for name, why in list(report.unsound.items())[:_SHOWN]:
            console.print(f"  {name}: {why}", soft_wrap=True)


def _some(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
