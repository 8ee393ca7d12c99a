"""Connections that ask for nothing do not keep others out."""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

PATIENCE_S: Final = 10.0
"""Within which a connection has to bring a request's whole head, in seconds."""


class Connection(H11Protocol):
    """uvicorn's own, closed when it waits for a request longer than is fit.

    uvicorn waits for ever for the first one: a few dozen silent connections would use up all that
    the page allows.
    """

    _looked_at: RequestResponseCycle | None = None

    def connection_made(  # type: ignore[override]  # as uvicorn itself narrows it
        self, transport: asyncio.Transport
    ) -> None:
        """A browser came."""
        super().connection_made(transport)
        self.loop.call_later(PATIENCE_S, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        answered = self.cycle is None or self.cycle.response_complete
        if answered and self.cycle is self._looked_at:
            self.transport.close()
            return
        self._looked_at = self.cycle
        self.loop.call_later(PATIENCE_S, self._look)
