"""Refuses a bundle that is not what this program writes.

The library checks structure: elements, how many, their types and forms. It lets pass an unknown
status, a reference into nothing and a report that calls itself final with nobody behind it. Those
are checked here.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
from fhir.resources.R4B.bundle import Bundle
from pydantic import ValidationError

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir.bundle import make_bundle
from cloud.reports.fhir.codes import Codes, load_codes
from cloud.reports.fhir.observations import STATUS, WITHDRAWN
from cloud.reports.fhir.parts import Part
from cloud.reports.fhir.resources import REPORT_STATUS

_KINDS: Final = {"DiagnosticReport", "Observation", "Device", "Media", "Provenance"}
_NEVER: Final = {
    "subject": "names a patient",
    "conclusionCode": "states a diagnosis",
    "contained": "hides a resource",
}
_OBSERVED: Final = {REPORT_STATUS[state]: STATUS[state] for state in STATUS}
"""Status of what a report rests on, by the report's own."""


class FhirError(ValueError):
    """A bundle that is not taken; the message says what is wrong, and where."""


def check_bundle(data: bytes, codes: Codes | None = None, facts: ReportFacts | None = None) -> None:
    """Refuse what is no bundle of ours.

    Args:
        data: FHIR JSON.
        codes: with which it was written; None: the shipped ones.
        facts: where given, it must say exactly these.

    Raises:
        FhirError: it is not.
    """
    codes = codes or load_codes()
    try:
        Bundle.model_validate_json(data)
        entries: list[Part] = msgspec.json.decode(data)["entry"]
    except (ValidationError, msgspec.DecodeError, KeyError) as error:
        raise FhirError(f"is no FHIR bundle: {error}") from error
    _check_entries(entries)
    _check_state([entry["resource"] for entry in entries], codes)
    if facts is not None and data != make_bundle(facts, codes):
        raise FhirError("does not say what the slide's results and reviews give")


def _check_entries(entries: list[Part]) -> None:
    here = [entry.get("fullUrl") for entry in entries]
    if len(set(here)) != len(here):
        raise FhirError("two entries have one fullUrl")
    for entry in entries:
        part = entry.get("resource", {})
        kind, name = part.get("resourceType"), part.get("id")
        if kind not in _KINDS:
            raise FhirError(f"a {kind} has no place in a report")
        if entry["fullUrl"] != f"urn:uuid:{name}":
            raise FhirError(f"{kind}/{name} is not what its fullUrl says")
        if entry.get("request") != {"method": "PUT", "url": f"{kind}/{name}"}:
            raise FhirError(f"{kind}/{name} would not be put where it belongs")
        for element in _NEVER.keys() & part.keys():
            raise FhirError(f"{kind}/{name} {_NEVER[element]} ({element})")
        for reference in _references(part):
            if reference not in here:
                raise FhirError(f"{kind}/{name} refers to {reference}, which is not here")


def _check_state(parts: list[Part], codes: Codes) -> None:
    reports = [part for part in parts if part["resourceType"] == "DiagnosticReport"]
    if len(reports) != 1:
        raise FhirError(f"{len(reports)} reports where one belongs")
    report = reports[0]
    if (wanted := _OBSERVED.get(report["status"])) is None:
        raise FhirError(f"the report's status {report['status']!r} is none of {sorted(_OBSERVED)}")
    by_url = {f"urn:uuid:{part['id']}": part for part in parts}
    results = [by_url[result["reference"]] for result in report.get("result", [])]
    if wrong := {part["status"] for part in results} - {wanted}:
        raise FhirError(f"a {report['status']} report rests on what is {wrong.pop()}")
    _check_rest(
        [part for part in parts if part not in results], signed=report["status"] != "partial"
    )
    _check_labels([report, *results], codes, unverified=report["status"] == "partial")
    _check_persons(parts, codes, signed=report["status"] != "partial")
    if not report.get("conclusion", "").startswith("Research use only"):
        raise FhirError("the report does not say that it is for research use only")


def _check_rest(parts: list[Part], *, signed: bool) -> None:
    """Beside its results a signed report has the machine's figures, and what it withdraws."""
    for part in parts:
        if part["resourceType"] != "Observation":
            continue
        name, status = f"Observation/{part['id']}", part["status"]
        if not signed or status not in {"preliminary", WITHDRAWN}:
            raise FhirError(f"{name} is {status}, and the report does not rest on it")
        if status == WITHDRAWN and "valueCodeableConcept" in part:
            raise FhirError(f"{name} is withdrawn and still says something")


def _check_labels(parts: list[Part], codes: Codes, *, unverified: bool) -> None:
    label = codes["unverified"]
    for part in parts:
        security = part.get("meta", {}).get("security", [])
        labelled = label.coding in security
        if labelled is not unverified:
            lacks = "lacks the label" if unverified else "is signed and still has the label"
            raise FhirError(f"{part['resourceType']}/{part['id']} {lacks} {label.code}")


def _check_persons(parts: list[Part], codes: Codes, *, signed: bool) -> None:
    persons = [
        part
        for part in parts
        if part["resourceType"] == "Provenance"
        and any(agent.get("type") == codes["verifier"].concept for agent in part["agent"])
    ]
    if bool(persons) is not signed:
        raise FhirError("nobody signed this report" if signed else "a partial report has a signer")


def _references(part: Any) -> Iterator[str]:  # noqa: ANN401  # any JSON
    if isinstance(part, dict):
        if isinstance(part.get("reference"), str):
            yield part["reference"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _references(inner)
