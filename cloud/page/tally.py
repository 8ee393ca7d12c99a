"""How many slides there are, counted once for all who ask within a moment."""

import threading
import time

from cloud.index.index import Index
from cloud.index.worklist import Totals, totals


class Tally:
    """Counts the worklist; thread-safe. Of a hundred thousand slides that is the dearest part.

    Args:
        index: the projection.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._turn = threading.Lock()
        self._begun = -1.0
        self._found = Totals()

    def totals(self, since: float) -> Totals:
        """Counted no earlier than `since` (of `time.monotonic`)."""
        with self._turn:
            if self._begun < since:
                begun = time.monotonic()
                self._found = totals(self._index)
                self._begun = begun
            return self._found
