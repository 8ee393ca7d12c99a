"""A report as one FHIR bundle: a transaction, so that a server takes all of it or nothing."""

from fhir.resources.R4B.bundle import Bundle

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir import observations, resources
from cloud.reports.fhir.codes import Codes, load_codes
from cloud.reports.fhir.parts import Part, Scribe, at


def make_bundle(facts: ReportFacts, codes: Codes | None = None) -> bytes:
    """Write the bundle; the same facts and codes give the same bytes.

    Args:
        facts: of the report.
        codes: None: the shipped ones.

    Returns:
        FHIR JSON, UTF-8, as the library validated it.
    """
    scribe = Scribe(facts, codes or load_codes())
    parts = _resources(scribe)
    slide = scribe.codes.identifier("slide", f"{facts.site}/{facts.slide}")
    bundle = Bundle.model_validate(
        {
            "resourceType": "Bundle",
            "identifier": slide,
            "type": "transaction",
            "timestamp": at(facts.as_of),
            "entry": [_entry(part) for part in parts],
        }
    )
    return bundle.model_dump_json().encode()


def _resources(scribe: Scribe) -> list[Part]:
    facts = scribe.facts
    suspicions = observations.suspicions(scribe)
    machine = observations.differential_of_machine(scribe)
    found = [observations.blasts(scribe), machine, *(part for _, part in suspicions)]
    named = ["blasts", *(name for name, _ in suspicions)]
    if facts.verified and facts.reader is not None:
        found.append(observations.differential_of_reader(scribe, facts.reader))
        results, suggested = [*named, "differential-reader"], ["differential-machine"]
    else:
        results = [*named, "differential-machine"]
        suggested = ["report", *results]
    return [
        resources.report(scribe, results),
        *found,
        *observations.withdrawn(scribe),
        *(resources.device(scribe, model) for model in facts.models),
        *(resources.image(scribe, field) for field in facts.fields),
        resources.by_machine(scribe, suggested),
        *(resources.by_person(scribe, signature) for signature in facts.signatures),
    ]


def _entry(part: Part) -> Part:
    kind, name = part["resourceType"], part["id"]
    part = {key: value for key, value in part.items() if value != {}}  # FHIR knows nothing empty
    return {
        "fullUrl": f"urn:uuid:{name}",
        "resource": part,
        "request": {"method": "PUT", "url": f"{kind}/{name}"},
    }
