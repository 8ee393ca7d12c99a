"""The spool: every saved capture, on disk, until the cloud's receipt for it arrives."""

from edge.spool.rescue import Rescue, open_or_rescue, open_spool
from edge.spool.spool import Spool, SpoolError, SpoolFullError, SpoolStatus

__all__ = [
    "Rescue",
    "Spool",
    "SpoolError",
    "SpoolFullError",
    "SpoolStatus",
    "open_or_rescue",
    "open_spool",
]
