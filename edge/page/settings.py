"""Settings of the capture page."""

from pathlib import Path

from pydantic import Field

from wire.web.settings import ServedSettings


class PageSettings(ServedSettings):
    """Where the capture page listens and how it is protected.

    On 127.0.0.1 it needs nothing. On any other address it wants a password and TLS: its own
    (`cert_file`, `key_file`), or that of a proxy in front of it (`trusted_proxy`).
    """

    enabled: bool = Field(default=True, description="false: no page at all")
    port: int = Field(8730, ge=0, le=65_535, description="TCP port; 0 takes any free one")
    password_file: Path | None = Field(
        None,
        description="argon2 hash, written by `page password`; empty: page.password in data_dir",
    )

    @property
    def needs_password(self) -> bool:
        """Whether the page may not be opened without one."""
        return self.for_others
