"""What follows a signature: FHIR and PDF in the bucket, once, for whoever fetches them there."""

import asyncio
from typing import Final

import structlog

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.fhir.codes import Codes
from cloud.reports.gather import report_facts
from cloud.reports.keep import FHIR, PDF, keep_fhir
from cloud.reports.pdf.draw import PdfError
from cloud.reviews.desk import Case
from cloud.signing.drawer import Drawer
from cloud.signing.metrics import Metrics
from cloud.signing.notes import Notes
from cloud.stores import keys
from cloud.stores.objects import Objects

TYPES: Final = {FHIR: "application/fhir+json", PDF: "application/pdf"}
"""Media type of a report by its ending."""

_log = structlog.get_logger("cloud.signing")


class AfterSignature:
    """Keeps signed reports. All of it is safe to repeat: nothing is ever written over.

    Args:
        objects: the bucket; waits while the store is away.
        notes: of reports that are due.
        codes: of FHIR.
        drawer: of pages.
        metrics: told of what was kept.
    """

    def __init__(
        self, objects: Objects, notes: Notes, codes: Codes, drawer: Drawer, metrics: Metrics
    ) -> None:
        self._objects = objects
        self._notes = notes
        self._codes = codes
        self._drawer = drawer
        self.metrics = metrics

    async def kept(self, case: Case) -> None:
        """See to it that each signed report of a slide is kept; the outbox does it at once.

        The desk has noted each before it was signed. This is for a bucket that somebody mended, and
        for slides that were signed by a program that kept no reports.
        """
        if not case.review.reports:
            return
        site, slide = case.entries[0].site, case.entries[0].slide
        there = await self._objects.sizes(keys.reports(site, slide))
        for report in case.review.reports:
            if keys.report(site, slide, report.number, FHIR) not in there:
                await self._notes.put(site, slide, report.number)

    async def make(self, case: Case, number: int) -> bytes:
        """Lay FHIR and PDF of a signature into the bucket, where they are not there yet.

        Args:
            case: the slide with its chain, held to its signatures.
            number: of the entry that signed.

        Returns:
            The FHIR bundle, as it is kept.

        Raises:
            ReportError: there is no such report; see `report_facts`.
            FhirError: the bundle is not as it should be.
        """
        kept = await keep_fhir(self._objects, case, self._codes, number)
        if kept.created:
            self.metrics.kept.inc()
        await self._keep_pdf(case, number)
        bundle = await self._objects.get(kept.key)
        if bundle is None:
            raise RuntimeError(f"{kept.key} was removed while it was looked at")
        return bundle

    async def taken(self, site: str, slide: str, number: int, ending: str) -> bytes | None:
        """A report as it was kept; None where it is not yet, or could not be."""
        return await self._objects.get(keys.report(site, slide, number, ending))

    async def drawn(self, facts: ReportFacts, ending: str) -> bytes:
        """A report as it is now, kept nowhere.

        Raises:
            PdfError: this machine cannot draw pages.
        """
        if ending == PDF:
            return await self._drawer.draw(facts)
        return await asyncio.to_thread(make_bundle, facts, self._codes)

    async def close(self) -> None:
        """Give up what is being drawn."""
        await self._drawer.close()

    async def _keep_pdf(self, case: Case, number: int) -> None:
        """Pages are for people, who can have them drawn later, too: nothing fails over them."""
        facts = report_facts(case, number)
        key = keys.report(facts.site, facts.slide, number, PDF)
        if key in await self._objects.sizes(key):
            return
        try:
            pages = await self._drawer.draw(facts)
        except PdfError as error:
            _log.warning("report_not_drawn", key=key, detail=str(error))
            return
        await self._objects.create(key, pages)
