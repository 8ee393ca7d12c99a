"""Reports that a FHIR server refused: what it said, kept until somebody has looked after it."""

from datetime import UTC, datetime

import msgspec
from msgspec import Struct

from cloud.reports.keep import FHIR
from cloud.stores import keys
from cloud.stores.keys import ReportName
from cloud.stores.objects import Objects
from wire.words import RESEARCH_USE_ONLY


class Letter(Struct, frozen=True, kw_only=True):
    """A dead letter."""

    notice: str = RESEARCH_USE_ONLY
    site: str
    slide: str
    number: int
    """Of the entry that signed the report."""
    report: str
    """Key of the bundle."""
    at: datetime
    status: int
    """Of the server's answer; 0: the bundle could not even be made."""
    issues: tuple[str, ...]
    """Codes that the server named."""
    reason: str
    """In the server's words, the first 2000 characters."""


class Letters:
    """In the bucket, under `dead-letters-fhir/`.

    Args:
        objects: the bucket.
        site: look at this one's only; None: at all.
    """

    def __init__(self, objects: Objects, site: str | None = None) -> None:
        self._objects = objects
        self._prefix = keys.of_site(keys.FHIR_LETTERS, site)

    async def write(
        self, name: ReportName, status: int, issues: tuple[str, ...], reason: str
    ) -> None:
        """Write one, over an earlier one of the same report."""
        letter = Letter(
            site=name.site,
            slide=name.slide,
            number=name.number,
            report=keys.report(*name, FHIR),
            at=datetime.now(UTC),
            status=status,
            issues=issues,
            reason=reason[:2000],
        )
        data = msgspec.json.format(msgspec.json.encode(letter), indent=2)
        await self._objects.put(keys.fhir_letter(name), data)

    async def names(self) -> list[ReportName]:
        """Reports that lie here."""
        listed = await self._objects.sizes(self._prefix)
        return [name for key in sorted(listed) if (name := keys.read_report_name(key)) is not None]

    async def read(self, name: ReportName) -> Letter | None:
        """One of them; None where it is gone, or was written by nobody we know."""
        data = await self._objects.get(keys.fhir_letter(name))
        try:
            return None if data is None else msgspec.json.decode(data, type=Letter)
        except msgspec.MsgspecError:
            return None

    async def drop(self, name: ReportName) -> None:
        """Somebody has looked after it, or the server has taken it since."""
        await self._objects.delete(keys.fhir_letter(name))
