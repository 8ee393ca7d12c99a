"""Draws the pages."""

import base64
from itertools import groupby
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cloud.reports.facts import Differential, ReportFacts
from cloud.reports.pdf.pictures import Pictures

_HERE: Final = Path(__file__).parent
_PANGO: Final = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


class PdfError(RuntimeError):
    """No page can be drawn; the message says what to do."""


def draw_pdf(facts: ReportFacts, pictures: Pictures) -> bytes:
    """Draw the report; nothing but what is handed over is read, from no file and no network.

    Raises:
        PdfError: the machine lacks Pango.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except OSError as error:  # it loads Pango when it is imported
        raise PdfError(f"a PDF needs Pango: apt-get install {_PANGO} ({error})") from error

    only_inline = URLFetcher(allowed_protocols=["data"])
    data: bytes = HTML(string=page(facts, pictures), url_fetcher=only_inline).write_pdf()
    return data


def page(facts: ReportFacts, pictures: Pictures) -> str:
    """The report as HTML for print."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    by_label = groupby(facts.gallery, key=lambda cell: cell.label)
    return environment.get_template("report.html").render(
        facts=facts,
        rows=_rows(facts),
        gallery=[(label, list(cells)) for label, cells in by_label],
        pictures={
            name: f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
            for name, data in pictures.items()
        },
        css=(_HERE / "report.css").read_text(encoding="utf-8"),
        good=sum(1 for field in facts.fields if field.quality is not None and not field.problem),
        unmeasured=sum(1 for field in facts.fields if field.quality is None),
    )


def _rows(facts: ReportFacts) -> list[tuple[str, str, str]]:
    """A row for each class: its name, the machine's figures, the reader's."""
    names = [share.label for share in facts.machine.shares]
    machine, reader = _cells(facts.machine), _cells(facts.reader)
    return list(zip(names, machine, reader, strict=True))


def _cells(figures: Differential | None) -> list[str]:
    if figures is None:
        return ["–"] * 4
    return [
        f"{share.count}"
        if share.percent is None or share.interval is None
        else f"{share.count} · {share.percent:.1f} % "
        f"({share.interval[0]:.1f} to {share.interval[1]:.1f})"
        for share in figures.shares
    ]
