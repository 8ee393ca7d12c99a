"""Report, devices, images and provenance as FHIR resources."""

from typing import Final

from cloud.reports.facts import FieldFacts, Model, Signature, State, notice_of
from cloud.reports.fhir.parts import Part, Scribe, at

REPORT_STATUS: Final[dict[State, str]] = {
    "preliminary": "partial",
    "signed": "final",
    "amended": "amended",
}


def report(scribe: Scribe, results: list[str]) -> Part:
    """The DiagnosticReport over these Observations.

    It has no subject: no name ever reached the cloud. Whoever files it knows whose slide it is.
    """
    facts, codes = scribe.facts, scribe.codes
    made: Part = {
        "resourceType": "DiagnosticReport",
        "id": scribe.id("report"),
        "meta": scribe.meta(unverified=not facts.verified),
        "identifier": [codes.identifier("slide", f"{facts.site}/{facts.slide}")],
        "status": REPORT_STATUS[facts.state],
        "category": [codes["category"].concept],
        "code": codes["report"].concept,
        "effectivePeriod": scribe.captured(),
        "issued": at(facts.as_of),
        "specimen": [scribe.slide()],
        "result": [scribe.to(name) for name in results],
        "media": [{"link": scribe.to(field.name)} for field in facts.fields],
        "conclusion": " ".join((facts.notice, *facts.limitations)),
    }
    if facts.verified:
        readers = facts.signatures[-1].readers
        made["resultsInterpreter"] = [scribe.person(reader) for reader in readers]
    return made


def device(scribe: Scribe, model: Model) -> Part:
    """A model bundle."""
    codes = scribe.codes
    return {
        "resourceType": "Device",
        "id": scribe.id(f"model {model.sha256}"),
        "identifier": [codes.identifier("model-sha256", model.sha256)],
        "deviceName": [{"name": model.name, "type": "model-name"}],
        "version": [
            {"value": model.version},
            {"type": codes["digest"].concept, "value": model.sha256},
        ],
        "note": [{"text": notice_of("preliminary")}],
    }


def image(scribe: Scribe, field: FieldFacts) -> Part:
    """A captured field. Its JPEG stays in the bucket, under the key that is named here."""
    codes = scribe.codes
    return {
        "resourceType": "Media",
        "id": scribe.id(field.name),
        "identifier": [
            codes.identifier("field", field.name),
            codes.identifier("image-key", field.image_key),
            codes.identifier("image-sha256", field.image_sha256),
        ],
        "status": "completed",
        "type": codes["image"].concept,
        "createdDateTime": at(field.captured_at),
        "deviceName": field.device,
        "width": field.width,
        "height": field.height,
        "content": {"contentType": "image/jpeg", "title": field.image_key},
        "note": [{"text": _quality(field)}],
    }


def by_machine(scribe: Scribe, results: list[str]) -> Part:
    """Provenance of what the models suggested, from which images."""
    facts = scribe.facts
    assembler = scribe.codes["assembler"].concept
    return {
        "resourceType": "Provenance",
        "id": scribe.id("by-machine"),
        "meta": scribe.meta(unverified=True),
        "target": [scribe.to(name) for name in results],
        "recorded": at(facts.as_of),
        "agent": [
            {"type": assembler, "who": scribe.to(f"model {model.sha256}")} for model in facts.models
        ],
        "entity": [{"role": "source", "what": scribe.to(field.name)} for field in facts.fields],
    }


def by_person(scribe: Scribe, signature: Signature) -> Part:
    """Provenance of a signature; it names the entry of the chain, which holds the signature.

    Where two readers answer, both are verifiers, and both entries are named.
    """
    codes, first = scribe.codes, signature.first
    entries = [*([first.entry_sha256] if first else []), signature.entry_sha256]
    made: Part = {
        "resourceType": "Provenance",
        "id": scribe.id(f"by-person-{signature.number}"),
        "target": [scribe.to("report"), scribe.to("blasts"), scribe.to("differential-reader")],
        "recorded": at(signature.at),
        "agent": [
            {"type": codes["verifier"].concept, "who": scribe.person(reader)}
            for reader in signature.readers
        ],
        "entity": [
            {"role": "source", "what": scribe.to("differential-machine")},
            *(
                {
                    "role": "source",
                    "what": {"identifier": codes.identifier("review-entry-sha256", entry)},
                }
                for entry in entries
            ),
        ],
    }
    if signature.reason:
        made["reason"] = [{"text": signature.reason}]
    return made


def _quality(field: FieldFacts) -> str:
    if field.quality is None:
        return "Quality was not measured at the station."
    return field.problem.sentence if field.problem is not None else "Quality as it should be."
