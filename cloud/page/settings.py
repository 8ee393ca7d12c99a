"""Settings of the reading room's page."""

from pydantic import Field

from wire.web.settings import ServedSettings


class PageSettings(ServedSettings):
    """Where the reading room listens and how it is protected.

    One always signs in, also on 127.0.0.1. On any other address the page wants TLS: its own
    (`cert_file`, `key_file`), or that of a proxy in front of it (`trusted_proxy`).
    """

    port: int = Field(8740, ge=0, le=65_535, description="TCP port; 0 takes any free one")
    session_hours: float = Field(
        12.0, gt=0, le=168, description="hours after which one signs in again, however busy"
    )
