"""Writes a signed report into the bucket, once, for whoever takes it into a patient's file."""

import asyncio
from typing import Final, NamedTuple, Protocol

import structlog

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.fhir.check import check_bundle
from cloud.reports.fhir.codes import Codes, load_codes
from cloud.reports.gather import ReportError, report_facts
from cloud.reviews.desk import Case
from cloud.stores import keys

FHIR: Final = "fhir.json"
PDF: Final = "pdf"

_log = structlog.get_logger("cloud.reports")


class Creates(Protocol):
    """What this needs of a bucket."""

    async def create(self, key: str, data: bytes) -> bool:
        """Write an object only if there is none."""
        ...

    async def get(self, key: str) -> bytes | None:
        """Read an object; None when there is none."""
        ...


class Kept(NamedTuple):
    """Where the report lies."""

    key: str
    created: bool
    """False: it was there before."""
    same: bool
    """False: what was there says it otherwise, for instance with other codes; it stands."""


async def keep_fhir(
    objects: Creates, case: Case, codes: Codes | None = None, number: int | None = None
) -> Kept:
    """Write a signed report as FHIR; the sign flow calls it after `Desk.sign` and `Desk.amend`.

    Safe to repeat, at any time after: what was written is never written over. While nobody has
    signed there is nothing to keep: the report changes with each field and is made when asked for.

    Args:
        objects: the bucket.
        case: the slide with its chain, the signature in it.
        codes: None: the shipped ones.
        number: of an earlier signature; None: the last.

    Raises:
        ReportError: nobody has signed, or see `report_facts`.
        FhirError: the bundle is not as it should be; nothing is written then.
    """
    facts = report_facts(case, number)
    if not facts.verified:
        raise ReportError("nobody has signed this slide: there is no report to keep")
    data = await asyncio.to_thread(_bundle, facts, codes or load_codes())
    key = keys.report(facts.site, facts.slide, facts.signatures[-1].number, FHIR)
    created = await objects.create(key, data)
    same = created or await objects.get(key) == data
    if not same:
        _log.warning("report_differs", key=key, detail="what was written first stands")
    return Kept(key, created, same)


def _bundle(facts: ReportFacts, codes: Codes) -> bytes:
    data = make_bundle(facts, codes)
    check_bundle(data, codes)
    return data
