"""Object keys. A capture's keys come from its id alone, so a repeat meets its own result.

frames/{site}/{device}/{capture}.{image sha256, 8 digits}.jpg
results/{site}/{device}/{capture}.json
dead-letters/{site}/{device}/{payload sha256}.bin and .json
slides/{site}/{slide}/fields/{device}/{capture}     says that this capture is of this slide
slides/{site}/{slide}/reports/{number, 6 digits}.fhir.json, .pdf   what was signed, for others
reviews/{site}/{slide}/{number, 6 digits}.json      what readers did, a chain
reviews-witness/{site}/{slide}/{number, 6 digits}   SHA-256 of that entry
slides-due/{worker}/{site}/{slide}/{uuid7}          says that this slide is to be added up
reports-due/{site}/{slide}/{number, 6 digits}       says that this report is to be kept and posted
dead-letters-fhir/{site}/{slide}/{number, 6 digits}.json     a report that was refused, and why
"""

import hashlib
from typing import Final, NamedTuple

FRAMES: Final = "frames/"
RESULTS: Final = "results/"
DEAD_LETTERS: Final = "dead-letters/"
SLIDES: Final = "slides/"
REVIEWS: Final = "reviews/"
WITNESSES: Final = "reviews-witness/"
SLIDES_DUE: Final = "slides-due/"
REPORTS_DUE: Final = "reports-due/"
FHIR_LETTERS: Final = "dead-letters-fhir/"
LAYOUT: Final = "leukoscope/layout.json"
"""Written by `leukoscope-cloud setup`: says what lies under which prefix."""


def frame(site: str, device: str, capture_id: str, image_sha256: str) -> str:
    """Key of a captured field's JPEG; another image under the same capture id cannot replace it."""
    return f"{FRAMES}{site}/{device}/{capture_id}.{image_sha256[:8]}.jpg"


def result(site: str, device: str, capture_id: str) -> str:
    """Key of a capture's one result."""
    return f"{RESULTS}{site}/{device}/{capture_id}.json"


def dead_letter(site: str, device: str, payload_sha256: str) -> str:
    """Key of a dead letter, without ending: `.bin` is the payload, `.json` says why."""
    return f"{DEAD_LETTERS}{site}/{device}/{payload_sha256}"


def slide_fields(site: str, slide: str) -> str:
    """Prefix of the entries of a slide's fields."""
    return f"{SLIDES}{site}/{slide}/fields/"


def slide_field(site: str, slide: str, device: str, capture_id: str) -> str:
    """Key of the entry of one field; written before the result, so that no result lacks one."""
    return f"{slide_fields(site, slide)}{device}/{capture_id}"


def result_of_slide_field(entry: str) -> str | None:
    """Key of the result that an entry speaks of; None where the key is no entry's."""
    parts = entry.split("/")
    if len(parts) != 6 or parts[0] != "slides" or parts[3] != "fields":
        return None
    return result(parts[1], parts[4], parts[5])


def reports(site: str, slide: str) -> str:
    """Prefix of a slide's signed reports."""
    return f"{SLIDES}{site}/{slide}/reports/"


def report(site: str, slide: str, number: int, ending: str) -> str:
    """Key of a signed report, by the number of the entry that signed it; written once.

    Args:
        site: of the slide.
        slide: its token.
        number: of the entry.
        ending: `fhir.json` or `pdf`.
    """
    return f"{reports(site, slide)}{number:06}.{ending}"


class ReportName(NamedTuple):
    """Which signed report."""

    site: str
    slide: str
    number: int
    """Of the entry that signed it."""


def of_site(prefix: str, site: str | None) -> str:
    """What of a prefix is one site's; None: all of it."""
    return prefix if site is None else f"{prefix}{site}/"


def report_due(name: ReportName) -> str:
    """Key of a note that a report has to be kept, and posted where the settings say so."""
    return f"{REPORTS_DUE}{name.site}/{name.slide}/{name.number:06}"


def fhir_letter(name: ReportName) -> str:
    """Key of the dead letter of a report that a FHIR server refused."""
    return f"{FHIR_LETTERS}{name.site}/{name.slide}/{name.number:06}.json"


def read_report_name(key: str) -> ReportName | None:
    """Take the key of a note, a dead letter or a FHIR report apart; None where it is none."""
    match key.split("/"):
        case ["reports-due" | "dead-letters-fhir", site, slide, last]:
            number = last.removesuffix(".json")
        case ["slides", site, slide, "reports", last] if last.endswith(".fhir.json"):
            number = last.removesuffix(".fhir.json")
        case _:
            return None
    return ReportName(site, slide, int(number)) if number.isdecimal() else None


class SlideDue(NamedTuple):
    """A note's key taken apart."""

    worker: str
    """See `worker_part`."""
    site: str
    slide: str
    note: str
    """A UUIDv7: when it was written."""


def slide_due(worker: str, site: str, slide: str, note: str) -> str:
    """Key of a note that a worker will have to add a slide up."""
    return f"{SLIDES_DUE}{worker_part(worker)}/{site}/{slide}/{note}"


def read_slide_due(key: str) -> SlideDue | None:
    """Take a note's key apart; None where it is no note's."""
    parts = key.split("/")
    return SlideDue(*parts[1:]) if len(parts) == 5 else None


def worker_part(worker: str) -> str:
    """A worker's name as part of a key: a name may hold what a key may not."""
    return hashlib.sha256(worker.encode()).hexdigest()[:16]


def reviews(site: str, slide: str) -> str:
    """Prefix of a slide's chain."""
    return f"{REVIEWS}{site}/{slide}/"


def review(site: str, slide: str, number: int) -> str:
    """Key of an entry of the chain; its number is its place."""
    return f"{reviews(site, slide)}{number:06}.json"


def witnesses(site: str, slide: str) -> str:
    """Prefix of the witnesses of a slide's chain."""
    return f"{WITNESSES}{site}/{slide}/"


def witness(site: str, slide: str, number: int) -> str:
    """Key of an entry's witness; it holds the SHA-256 of the entry."""
    return f"{witnesses(site, slide)}{number:06}"
