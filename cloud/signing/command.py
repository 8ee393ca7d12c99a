"""`leukoscope-cloud outbox`."""

import asyncio
import sys
from collections.abc import Iterable

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from cloud.settings import CloudSettings
from cloud.signing.letters import Letter, Letters
from cloud.signing.notes import Notes
from cloud.stores import keys
from cloud.stores.keys import ReportName
from cloud.stores.objects import Objects, open_store
from wire.logs import configure


class Out(Struct):
    """What is in the outbox; the object of `--json`."""

    waiting: list[ReportName]
    """To be kept, or posted."""
    refused: list[Letter]
    unreadable: int = 0
    """Dead letters that this program did not write so."""
    posted_again: int = 0
    """Reports that were put into it now."""


def run_outbox(settings: CloudSettings, *, again: bool, every: bool, json: bool) -> int:
    """Show what waits and what was refused; 0 where nothing was, 1 where something was."""
    configure(json=settings.log_json)
    objects = Objects(open_store(settings.store), settings.retry_max_s, lambda _: None)
    out = asyncio.run(outbox(objects, settings.site, again=again, every=every))
    if json:
        sys.stdout.write(msgspec.json.encode(out).decode() + "\n")
    else:
        _show(out, Console())
        if (again or every) and settings.fhir.url is None:
            Console(stderr=True).print("fhir.url is not set here: check that the room has it.")
    return 1 if (out.refused or out.unreadable) and not again else 0


async def outbox(objects: Objects, site: str | None = None, *, again: bool, every: bool) -> Out:
    """Look into it.

    Args:
        objects: the bucket.
        site: of which; None: of all.
        again: put what was refused into it once more.
        every: put every report into it that is kept, for a server that is new.
    """
    notes, letters = Notes(objects, site), Letters(objects, site)
    refused = await letters.names()
    anew = {*(refused if again else ()), *(await _kept(objects, site) if every else ())}
    for name in sorted(anew):
        await notes.put(*name)
    waiting = [
        ReportName(*slide, number)
        for slide, numbers in (await notes.by_slide()).items()
        for number in numbers
    ]
    read = [await letters.read(name) for name in refused]
    letters_read = [letter for letter in read if letter is not None]
    return Out(waiting, letters_read, len(read) - len(letters_read), len(anew))


async def _kept(objects: Objects, site: str | None) -> Iterable[ReportName]:
    listed = await objects.sizes(keys.of_site(keys.SLIDES, site))
    return [name for key in listed if (name := keys.read_report_name(key)) is not None]


def _show(out: Out, console: Console) -> None:
    if out.posted_again:
        console.print(f"{out.posted_again} reports to be posted again, by the reading room.")
    if out.waiting:
        console.print(f"{len(out.waiting)} signed reports wait to be kept or posted.")
    if out.unreadable:
        console.print(f"{out.unreadable} under {keys.FHIR_LETTERS} cannot be read.")
    elif not out.refused:
        console.print("The FHIR server has refused none.")
    if not out.refused:
        return
    table = Table("slide", "report", "status", "refused", "why")
    for letter in out.refused:
        at = f"{letter.at:%Y-%m-%d %H:%M}"
        status = str(letter.status) if letter.status else "not made"
        slide = f"{letter.site}/{letter.slide}"
        table.add_row(slide, str(letter.number), status, at, letter.reason[:200])
    console.print(table)
