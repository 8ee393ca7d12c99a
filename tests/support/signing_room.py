"""A reader's desk with what follows its signatures."""

import asyncio
from contextlib import asynccontextmanager

from reading_desk import room

from cloud.reports.fhir.codes import load_codes
from cloud.reviews.entry import Reclassify, See, Waive
from cloud.signing.after import AfterSignature
from cloud.signing.drawer import Drawer
from cloud.signing.letters import Letters
from cloud.signing.metrics import Metrics
from cloud.signing.notes import Notes
from cloud.signing.outbox import Outbox
from cloud.signing.post import FhirServer
from cloud.signing.settings import FhirSettings
from cloud.stores import keys
from cloud.stores.objects import Objects

PAGES = b"%PDF-1.7 drawn for a test"


class QuickDrawer(Drawer):
    """Draws nothing: drawing has tests of its own, and takes a second."""

    async def _draw(self, facts):
        return PAGES


class Signing:
    """One program: the notes, what it keeps, and its outbox."""

    def __init__(self, here, *, url=None, drawer=None, objects=None, wait_s=0.02, **fhir):
        self.here = here
        self.objects = objects or Objects(here.store, 0.05, lambda _: None)
        self.metrics, self.warnings = Metrics(), []
        self.notes = Notes(self.objects)
        drawer = drawer or QuickDrawer(self.objects)
        self.after = AfterSignature(self.objects, self.notes, load_codes(), drawer, self.metrics)
        self.server = FhirServer(FhirSettings(url=url, **fhir)) if url else None
        self.outbox = Outbox(
            self.objects,
            self.notes,
            Letters(self.objects),
            here.another_desk().load,
            self.after,
            self.server,
            self.warnings.append,
            self.metrics,
            retry_max_s=0.2,
            wait_s=wait_s,
        )

    @asynccontextmanager
    async def running(self):
        """The outbox at work."""
        task = asyncio.ensure_future(self.outbox.keep())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self.after.close()
            if self.server is not None:
                await self.server.close()

    async def done(self):
        """Until nothing is due any more."""
        while await self.objects.sizes(keys.REPORTS_DUE):
            await asyncio.sleep(0.01)

    def count(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)


@asynccontextmanager
async def signing_room(**options):
    """Slide s1 looked through, a desk that notes its signatures, and a program beside it."""
    async with room() as here:
        signing = Signing(here, **options)
        here.due = signing.notes.put
        here.desk = here.another_desk()
        await here.do(See([*await here.cells("ALL"), *await here.cells("AML")]))
        await here.do(Waive("too pale"))
        yield signing


async def amended(here, reason, label="Normal"):
    return await here.amend(reason, [Reclassify(await here.cells("AML"), label)])


async def reports(objects):
    """Endings of what is kept, by number."""
    found = {}
    for key in await objects.sizes(keys.reports("home", "s1")):
        number, ending = key.rpartition("/")[2].split(".", 1)
        found.setdefault(int(number), set()).add(ending)
    return found
