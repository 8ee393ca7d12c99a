"""Small parts of FHIR resources, as plain mappings that the library validates later."""

from datetime import UTC, datetime
from typing import Any, Final, TypeAlias
from uuid import UUID, uuid5

from cloud.reports.facts import ReportFacts
from cloud.reports.fhir.codes import Code, Codes

Part: TypeAlias = dict[str, Any]

_SPACE: Final = UUID("6f5c3f0e-6f0a-5a0f-9d3f-1f6b1f1f4c19")
"""Names are turned into ids under this one; chosen once, at random."""


class Scribe:
    """What every part of one bundle needs: facts, codes and steady ids."""

    def __init__(self, facts: ReportFacts, codes: Codes) -> None:
        self.facts = facts
        self.codes = codes

    def id(self, what: str) -> str:
        """The same for the same thing of the same slide, whatever its state.

        A server then keeps versions of one report and not several reports.
        """
        if what.startswith("model "):  # of every slide
            return str(uuid5(_SPACE, what))
        return str(uuid5(_SPACE, f"{self.facts.site}/{self.facts.slide}/{what}"))

    def to(self, what: str) -> Part:
        """A reference to a resource of this bundle."""
        return {"reference": f"urn:uuid:{self.id(what)}"}

    def slide(self) -> Part:
        """The specimen, by its token."""
        token = self.codes.identifier("slide", f"{self.facts.site}/{self.facts.slide}")
        return {"type": "Specimen", "identifier": token}

    def person(self, reader: str) -> Part:
        """A reader, by account."""
        account = self.codes.identifier("reader", f"{self.facts.site}/{reader}")
        return {"type": "Practitioner", "identifier": account, "display": reader}

    def captured(self) -> Part:
        """When the fields were captured."""
        return {"start": at(self.facts.captured_from), "end": at(self.facts.captured_to)}

    def meta(self, *, unverified: bool) -> Part:
        """Meta; labelled where no reader answers for the content."""
        return {"security": [self.codes["unverified"].coding]} if unverified else {}


def at(moment: datetime) -> str:
    """A FHIR instant in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quantity(value: float, unit: Code) -> Part:
    """A FHIR Quantity."""
    return {"value": value, "unit": unit.display, "system": unit.system, "code": unit.code}
