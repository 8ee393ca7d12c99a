"""What the agent looks after beside its frames: the clock, and the certificate for the broker."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge.certificate import certificate_trouble
from edge.clock import ClockCheck
from edge.trouble import Trouble, Troubles
from wire.messages import Receipt

_EVERY_S: Final = 60.0


class Checks:
    """Notes what is wrong among the troubles, and takes back what is well again. Thread-safe.

    Args:
        cert_file: the client certificate; None without one.
        troubles: of the agent.
        clock: the check of the clock.
    """

    def __init__(
        self, cert_file: Path | None, troubles: Troubles, clock: ClockCheck | None = None
    ) -> None:
        self._clock = clock or ClockCheck()
        self.clock_problem = ""
        """Empty, or what is wrong with the station's clock."""
        self.certificate_problem = ""
        """Empty, or what is wrong with the certificate."""
        self._cert_file = cert_file
        self._troubles = troubles
        self._due = 0.0

    def sent(self, capture_id: str) -> None:
        """A frame goes out."""
        self._clock.sent(capture_id)

    def receipted(self, receipt: Receipt) -> None:
        """Its receipt has come, and with it the cloud's time."""
        self._clock.receipted(receipt)
        self._look_at_clock()

    def look(self) -> None:
        """Look at both when a minute has passed since the last time."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY_S
        self._look_at_clock()
        self.certificate_problem = self._note(
            "certificate-", certificate_trouble(self._cert_file, datetime.now(UTC))
        )

    def _look_at_clock(self) -> None:
        self.clock_problem = self._note("clock-", self._clock.trouble())

    def _note(self, family: str, trouble: Trouble | None) -> str:
        """Note a trouble in place of the others of its family; returns its sentence."""
        for other in self._troubles.all():
            if other.code.startswith(family) and (trouble is None or other.code != trouble.code):
                self._troubles.over(other.code)
        if trouble is None:
            return ""
        self._troubles.note(trouble.code, trouble.sentence, remedy=trouble.remedy)
        return trouble.sentence
