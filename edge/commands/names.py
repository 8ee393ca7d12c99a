"""Which commands there are, and which a station takes unless its settings say otherwise."""

from typing import Final, Literal, get_args

CommandName = Literal[
    "ping",
    "snapshot",
    "start-slide",
    "end-slide",
    "capture",
    "burst",
    "autofocus",
    "set-camera",
    "start-scan",
    "stop-scan",
]
NAMES: Final[tuple[CommandName, ...]] = get_args(CommandName)

DEFAULT_ALLOWED: Final[tuple[CommandName, ...]] = (
    "ping",
    "snapshot",
    "start-slide",
    "end-slide",
    "capture",
    "burst",
    "stop-scan",
)
"""What neither moves the stage, near which a hand may be, nor changes how pictures look. Stopping
is always allowed to be asked for."""
