"""`leukoscope-cloud report`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.fhir.check import FhirError, check_bundle
from cloud.reports.fhir.codes import CodesError, load_codes
from cloud.reports.gather import ReportError, report_facts
from cloud.reports.pdf.draw import PdfError, draw_pdf
from cloud.reports.pdf.pictures import load_pictures
from cloud.reviews.command import trusted_keys
from cloud.reviews.desk import Case, read_chain
from cloud.reviews.replay import Slide
from cloud.reviews.signing import ReviewKeyError
from cloud.reviews.verify import examine
from cloud.settings import CloudSettings
from cloud.slides.results import read_results
from cloud.stores.objects import Objects, open_store
from cloud.stores.remembered import Reads
from wire.logs import configure
from wire.settings import SettingsError
from wire.topics import TopicError, checked_name


def run_report(
    settings: CloudSettings,
    slide: str,
    site: str | None,
    *,
    number: int | None,
    fhir: Path | None,
    pdf: Path | None,
    json: bool,
) -> int:
    """Make a report from the bucket; 0 done, 1 there is none or it is altered, 2 wrong settings."""
    configure(json=settings.log_json)
    errors = Console(stderr=True)
    site = site or settings.site
    try:
        if site is None:
            raise SettingsError("name the slide's site: --site SITE, or the setting site")
        codes = load_codes(settings.fhir_codes)
        name = (checked_name(site, "site"), checked_name(slide, "slide"))
        objects = Objects(open_store(settings.store), settings.retry_max_s, lambda _: None)
        facts = report_facts(asyncio.run(read_case(objects, settings, *name)), number)
        if pdf is not None:
            _write(pdf, draw_pdf(facts, asyncio.run(load_pictures(objects, facts))))
        if fhir is not None:
            data = make_bundle(facts, codes)
            check_bundle(data, codes, facts)
            _write(fhir, data)
    except (CodesError, ReviewKeyError, SettingsError, TopicError) as error:
        return _told(errors, error, 2)
    except (ReportError, FhirError, PdfError, OSError) as error:
        return _told(errors, error, 1)
    if json:
        sys.stdout.write(msgspec.json.encode(facts).decode() + "\n")
    else:
        _show(facts, [file for file in (fhir, pdf) if file is not None], Console())
    return 0


async def read_case(objects: Reads, settings: CloudSettings, site: str, slide: str) -> Case:
    """Read a slide and its chain, without a key to sign with.

    Raises:
        ReportError: the chain is not sound; no report is made of that.
        ReviewKeyError: there is a chain, and no key is trusted or one cannot be used.
    """
    results = await read_results(objects, site, slide)
    chain = await read_chain(objects, site, slide)
    touched = bool(chain.entries or chain.witnesses)
    examined = examine(chain, results, trusted_keys(settings) if touched else {})
    last = examined.review.number
    for finding in examined.findings:
        if (finding.kind, finding.number) != ("witness-missing", last):  # may be on its way
            raise ReportError(
                f"the reviews of this slide are not as they were written (entry {finding.number}: "
                f"{finding.kind}): run leukoscope-cloud verify {slide}"
            )
    return Case(Slide.of(results), examined.review, examined.entries)


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing: whoever watches the folder never reads half a report."""
    part = file.with_name(f".{file.name}.part")
    part.write_bytes(data)
    part.replace(file)


def _show(facts: ReportFacts, files: Sequence[Path], console: Console) -> None:
    figures = facts.stands
    counts = ", ".join(f"{share.label} {share.count}" for share in figures.shares)
    who: str = facts.state
    if facts.verified:
        who = f"{facts.state} by {' and '.join(facts.signatures[-1].readers)}"
    console.print(f"{facts.site}/{facts.slide}  {who}, {len(facts.fields)} fields: {counts}")
    if figures.blasts_per_100 is not None and figures.blasts_interval is not None:
        low, high = figures.blasts_interval
        console.print(
            f"suspected blasts per 100 white cells: {figures.blasts_per_100:.1f} "
            f"(95 % interval {low:.1f} to {high:.1f})"
        )
    if facts.later_fields:
        console.print(f"{facts.later_fields} fields came after the signature: in no figure")
    for file in files:
        console.print(f"written to {file}", soft_wrap=True)
    console.print(facts.notice, soft_wrap=True)


def _told(errors: Console, error: Exception, code: int) -> int:
    errors.print(f"[red]leukoscope-cloud:[/red] {error}", highlight=False, soft_wrap=True)
    return code
