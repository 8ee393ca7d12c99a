"""The figures of a report as FHIR Observations."""

from typing import Final

from cloud.reports.facts import Differential, State, notice_of
from cloud.reports.fhir.parts import Part, Scribe, at, quantity
from cloud.slides.tally import BLASTS
from wire.words import Label

STATUS: Final[dict[State, str]] = {
    "preliminary": "preliminary",
    "signed": "final",
    "amended": "amended",
}
"""Of an Observation that the report rests on."""

WITHDRAWN: Final = "entered-in-error"
"""Of a suspicion that an earlier bundle may have put on a server, and that does not stand."""


def blasts(scribe: Scribe) -> Part:
    """Suspected blasts per 100 identified white cells, with the exact interval."""
    figures, codes = scribe.facts.stands, scribe.codes
    found = _observation(scribe, "blasts", codes["blasts"].concept)
    if figures.blasts_per_100 is None or figures.blasts_interval is None:
        return found | {"dataAbsentReason": codes["no-cells"].concept}
    percent = codes["percent"]
    ends = zip(("interval-low", "interval-high"), figures.blasts_interval, strict=True)
    return found | {
        "valueQuantity": quantity(figures.blasts_per_100, percent),
        "component": [
            {"code": codes[name].concept, "valueQuantity": quantity(end, percent)}
            for name, end in ends
        ],
    }


def differential_of_machine(scribe: Scribe) -> Part:
    """Counts as the model suggests them; nobody verifies these, also once the report is signed."""
    code = scribe.codes["differential-machine"].concept
    found = _observation(scribe, "differential-machine", code, of_machine=True)
    return found | {"component": _counts(scribe, scribe.facts.machine)}


def differential_of_reader(scribe: Scribe, figures: Differential) -> Part:
    """Counts that the reader signed, and what became of the excluded cells."""
    codes = scribe.codes
    found = _observation(scribe, "differential-reader", codes["differential-reader"].concept)
    excluded = {
        "code": codes["excluded"].concept,
        "valueQuantity": quantity(figures.excluded, codes["cells"]),
    }
    return found | {
        "component": [*_counts(scribe, figures), excluded],
        "derivedFrom": [scribe.to("differential-machine")],
        "note": [*found["note"], *_why_excluded(scribe)],
    }


def suspicions(scribe: Scribe) -> list[tuple[str, Part]]:
    """For each class of suspected blasts that was counted: what disease that would be, as a value.

    Never a Condition, never a conclusionCode: it is said of cells.
    """
    return [
        (f"suspected-{label}", _suspicion(scribe, label))
        for label in BLASTS
        if scribe.facts.stands.count(label)
    ]


def withdrawn(scribe: Scribe) -> list[Part]:
    """Suspicions that the reader does not share, in the place of what a server may have of them.

    Only once signed: until then no count of a class goes down, so none was ever sent.
    """
    if not scribe.facts.verified:
        return []
    return [_withdrawn(scribe, label) for label in BLASTS if not scribe.facts.stands.count(label)]


def _withdrawn(scribe: Scribe, label: Label) -> Part:
    found = _observation(scribe, f"suspected-{label}", scribe.codes["suspicion"].concept)
    text = f"Withdrawn: by the reader's counts no cell is suspected as a blast of {label}."
    return found | {"status": WITHDRAWN, "note": [*found["note"], {"text": text}]}


def _suspicion(scribe: Scribe, label: Label) -> Part:
    codes, count = scribe.codes, scribe.facts.stands.count(label)
    who = "a reader" if scribe.facts.verified else "a computer program, not verified by a person"
    cells = "1 cell" if count == 1 else f"{count} cells"
    text = f"Suspected only: {cells} suspected as blasts of {label} by {who}. No diagnosis."
    found = _observation(scribe, f"suspected-{label}", codes["suspicion"].concept)
    return found | {"valueCodeableConcept": codes[f"suspected-{label}"].concept | {"text": text}}


def _observation(scribe: Scribe, what: str, code: Part, *, of_machine: bool = False) -> Part:
    facts = scribe.facts
    by_machine = of_machine or not facts.verified
    found: Part = {
        "resourceType": "Observation",
        "id": scribe.id(what),
        "meta": scribe.meta(unverified=by_machine),
        "status": "preliminary" if by_machine else STATUS[facts.state],
        "category": [scribe.codes["laboratory"].concept],
        "code": code,
        "specimen": scribe.slide(),
        "effectivePeriod": scribe.captured(),
        "issued": at(facts.as_of),
        "note": [{"text": notice_of("preliminary") if by_machine else facts.notice}],
    }
    if not by_machine:
        found["performer"] = [scribe.person(facts.signatures[-1].reader)]
    elif len(facts.models) == 1:  # R4 names one device; several are in the machine's Provenance
        found["device"] = scribe.to(f"model {facts.models[0].sha256}")
    return found


def _counts(scribe: Scribe, figures: Differential) -> list[Part]:
    return [
        {
            "code": scribe.codes[f"class-{share.label}"].concept,
            "valueQuantity": quantity(share.count, scribe.codes["cells"]),
        }
        for share in figures.shares
    ]


def _why_excluded(scribe: Scribe) -> list[Part]:
    return [
        {
            "time": at(cell.at),
            "authorString": cell.reader,
            "text": f"Excluded: cell {cell.cell}, suggested as {cell.suggested}; "
            + ("; ".join(cell.why) or "no reason given"),
        }
        for cell in scribe.facts.excluded
    ]
