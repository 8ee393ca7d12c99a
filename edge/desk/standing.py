"""How the station stands: what waits, what is left, what is wrong."""

import time
from dataclasses import dataclass
from typing import Final, Protocol

from edge.microscope import Microscope
from edge.spool import Spool, SpoolError
from edge.trouble import Trouble, Troubles

_COUNT_S: Final = 1.0
"""Seconds for which the spool's counts hold, unless something was saved or receipted."""
_ROUND_MB: Final = 10
"""Free disk is told in such steps: it wavers all the time, and every change is news."""


class Sends(Protocol):
    """What the desk asks of the agent: `edge.agent.Agent`."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there."""
        ...

    @property
    def broker_problem(self) -> str:
        """Why it is not."""
        ...

    @property
    def clock_problem(self) -> str:
        """What is wrong with the clock."""
        ...

    @property
    def certificate_problem(self) -> str:
        """What is wrong with the certificate."""
        ...

    def wake(self) -> None:
        """Something was saved."""
        ...


@dataclass(frozen=True)
class Standing:
    """The part of the desk's state that comes from the spool and the agent."""

    waiting: int
    refused: int
    disk_free_mb: int
    broker: bool
    broker_problem: str
    clock_problem: str
    certificate_problem: str
    camera_problem: str
    troubles: tuple[Trouble, ...]


class Watch:
    """Puts a `Standing` together. One caller at a time.

    Args:
        spool: opened.
        microscope: whose camera may be away.
        troubles: of the station.
    """

    def __init__(self, spool: Spool, microscope: Microscope, troubles: Troubles) -> None:
        self._spool = spool
        self._microscope = microscope
        self._troubles = troubles
        self._due = 0.0
        self._held = (0, 0, 0)
        self.agent: Sends | None = None

    def count_again(self) -> None:
        """The spool has changed."""
        self._due = 0.0

    def now(self) -> Standing:
        """As things stand."""
        waiting, refused, free = self._counted()
        agent = self.agent
        problem = "this program sends nothing" if agent is None else agent.broker_problem
        return Standing(
            waiting=waiting,
            refused=refused,
            disk_free_mb=free,
            broker=agent is not None and agent.connected,
            broker_problem=problem,
            clock_problem="" if agent is None else agent.clock_problem,
            certificate_problem="" if agent is None else agent.certificate_problem,
            camera_problem=self._microscope.camera_problem,
            troubles=self._all(agent),
        )

    def _all(self, agent: Sends | None) -> tuple[Trouble, ...]:
        problem = "" if agent is None else agent.broker_problem
        away = (Trouble("broker-away", f"No broker: {problem}.", _BROKER),) if problem else ()
        return (*away, *self._troubles.all())

    def _counted(self) -> tuple[int, int, int]:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _COUNT_S
            try:
                waiting, refused = self._spool.counts()
                free = self._spool.disk_free_mb()
            except SpoolError as error:
                self._troubles.note("disk-silent", _SILENT, error, remedy=_DISK)
            else:
                self._troubles.over("disk-silent")
                self._held = (waiting, refused, free - free % _ROUND_MB)
        return self._held


_BROKER: Final = (
    "Go on: captures stay saved here and are sent when it is back. If it stays away, check the "
    "network cable, then call whoever runs the broker."
)
_SILENT: Final = "the spool does not answer: see the log there"
_DISK: Final = "Check the station's disk, then restart the station."
