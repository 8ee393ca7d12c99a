"""Notes in the bucket that a signed report is to be kept and posted; they outlive the program."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from cloud.index.index import SlideKey
from cloud.stores import keys
from cloud.stores.keys import ReportName
from cloud.stores.objects import Objects


class Notes:
    """Written before a signature, deleted when all that follows it is done.

    Args:
        objects: the bucket.
        site: look at this one's only; None: at all.
    """

    def __init__(self, objects: Objects, site: str | None = None) -> None:
        self._objects = objects
        self._prefix = keys.of_site(keys.REPORTS_DUE, site)
        self.woken = asyncio.Event()
        """Set when there is a new one."""

    async def put(self, site: str, slide: str, number: int) -> None:
        """Note a report; once more harms nothing."""
        written = datetime.now(UTC).isoformat().encode()
        await self._objects.put(keys.report_due(ReportName(site, slide, number)), written)
        self.woken.set()

    async def drop(self, name: ReportName) -> None:
        """All is done."""
        await self._objects.delete(keys.report_due(name))

    async def by_slide(self) -> Mapping[SlideKey, list[int]]:
        """Numbers of what is noted, in order."""
        found: dict[SlideKey, list[int]] = {}
        for key in sorted(await self._objects.sizes(self._prefix)):
            if name := keys.read_report_name(key):
                found.setdefault(SlideKey(name.site, name.slide), []).append(name.number)
        return found

    async def age(self, name: ReportName) -> timedelta:
        """Since it was written; of one that nobody can read, no time at all."""
        data = await self._objects.get(keys.report_due(name)) or b""
        try:
            return datetime.now(UTC) - datetime.fromisoformat(data.decode())
        except (ValueError, TypeError):
            return timedelta(0)
