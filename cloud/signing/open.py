"""Opens what follows a signature, as the settings say."""

from collections.abc import Callable
from dataclasses import dataclass

from cloud.reports.fhir.codes import load_codes
from cloud.settings import CloudSettings
from cloud.signing.after import AfterSignature
from cloud.signing.drawer import Drawer
from cloud.signing.letters import Letters
from cloud.signing.metrics import Metrics
from cloud.signing.notes import Notes
from cloud.signing.outbox import Load, Outbox
from cloud.signing.post import FhirServer
from cloud.stores.objects import Objects


@dataclass(frozen=True)
class Signing:
    """The parts, of which the desk wants the notes, and the outbox the desk."""

    settings: CloudSettings
    objects: Objects
    notes: Notes
    after: AfterSignature
    server: FhirServer | None
    """None: reports are posted nowhere."""

    def outbox(self, load: Load, warn: Callable[[str | None], None]) -> Outbox:
        """The task that works off what is due.

        Args:
            load: `Desk.load`.
            warn: told a sentence while reports wait or were refused.
        """
        return Outbox(
            self.objects,
            self.notes,
            Letters(self.objects, self.settings.site),
            load,
            self.after,
            self.server,
            warn,
            self.after.metrics,
            retry_max_s=self.settings.fhir.retry_max_s,
        )

    async def close(self) -> None:
        """Let everything go that is still open."""
        await self.after.close()
        if self.server is not None:
            await self.server.close()


def open_signing(settings: CloudSettings, objects: Objects) -> Signing:
    """Open; nothing is sent or read yet.

    Raises:
        SettingsError: the file of codes, or the server's certificates, cannot be used.
    """
    codes, notes = load_codes(settings.fhir_codes), Notes(objects, settings.site)
    after = AfterSignature(objects, notes, codes, Drawer(objects), Metrics())
    server = FhirServer(settings.fhir) if settings.fhir.url else None
    return Signing(settings, objects, notes, after, server)
