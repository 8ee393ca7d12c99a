"""The station's status message: what it is, what it holds, what is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal

from edge.settings import EdgeSettings
from edge.spool import Spool, SpoolError, SpoolStatus
from edge.trouble import Troubles
from wire import topics
from wire.codec import encode
from wire.connection import Publication
from wire.messages import DeviceStatus


class StatusMessage:
    """Writes it. Retained, so that whoever comes later sees the last one.

    Args:
        settings: of the station.
        spool: opened.
        troubles: told in the message; a spool that does not answer becomes one.
        camera_name: or what tells it, where it is learned when the camera is opened.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        spool: Spool,
        troubles: Troubles,
        camera_name: str | Callable[[], str],
    ) -> None:
        self._site, self._device = settings.site, settings.device
        self._topic = topics.device(settings.site, settings.device, "status")
        self._spool = spool
        self._troubles = troubles
        self._camera_name = camera_name

    def now(self, state: Literal["online", "offline"]) -> Publication:
        """As things stand."""
        held = self._held()
        name = self._camera_name
        return self._publication(
            DeviceStatus(
                site=self._site,
                device=self._device,
                state=state,
                at=datetime.now(UTC),
                version=version("leukoscope"),
                camera=name if isinstance(name, str) else name(),
                spool_waiting=held.waiting,
                spool_refused=held.refused,
                disk_free_mb=held.disk_free_mb,
                trouble=str(self._troubles),
            )
        )

    def will(self) -> Publication:
        """What the broker says when the connection breaks without a goodbye."""
        return self._publication(DeviceStatus(site=self._site, device=self._device, state="lost"))

    def _publication(self, status: DeviceStatus) -> Publication:
        return Publication(self._topic, encode(status), retain=True)

    def _held(self) -> SpoolStatus:
        """What the spool holds; all zero, and a trouble, when it cannot be asked."""
        try:
            held = self._spool.status()
        except SpoolError as error:
            self._troubles.note(
                "disk-silent",
                "the spool does not answer: see the log there",
                error,
                remedy="Check the station's disk, then restart the station.",
            )
            return SpoolStatus(0, 0, 0, None, 0, 0)
        self._troubles.over("disk-silent")
        if not held.refused:
            self._troubles.over("frames-refused")
        return held
