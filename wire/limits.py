"""Sizes and bounds that both ends of the wire hold to."""

from typing import Final

SCHEMA: Final = 1
"""Version of every message. A new optional field keeps it; anything a reader must know bumps it."""

MAX_IMAGE_BYTES: Final = 1024 * 1024
"""No field image in a message is larger, whatever a site's byte budget is."""

DEFAULT_IMAGE_BUDGET: Final = 120 * 1024
"""Default budget of one encoded field, in bytes: with its envelope it passes brokers that
carry 128 KiB (AWS IoT Core)."""

DEFAULT_MAX_PAYLOAD: Final = 128 * 1024
"""Default size, in bytes, above which `wire.connection` refuses to publish."""

MAX_CELLS: Final = 512
"""White cells that one field message may name; a crowded field has tens."""
