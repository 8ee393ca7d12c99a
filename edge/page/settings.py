"""Settings of the capture page."""

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class PageSettings(BaseModel):
    """Where the capture page listens and how it is protected.

    On 127.0.0.1 it needs nothing. On any other address it wants a password and TLS: its own
    (`cert_file`, `key_file`), or that of a proxy in front of it (`trusted_proxy`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(default=True, description="false: no page at all")
    host: str = Field("127.0.0.1", min_length=1, description="address the page listens on")
    port: int = Field(8730, ge=0, le=65_535, description="TCP port; 0 takes any free one")
    names: tuple[str, ...] = Field(
        (), description="host names the page is called by, beside this machine's own"
    )
    password_file: Path | None = Field(
        None,
        description="argon2 hash, written by `page password`; empty: page.password in data_dir",
    )
    cert_file: Path | None = Field(None, description="the page's TLS certificate (PEM)")
    key_file: Path | None = Field(None, description="its private key (PEM)")
    trusted_proxy: str = Field(
        "", description="address of the proxy that ends TLS before the page, and only that one"
    )
    idle_minutes: float = Field(
        30.0, gt=0, le=1440, description="minutes without a press after which the page signs out"
    )
    docs_url: str = Field(
        "",
        pattern=r"^(https?://[^\s?#]+/)?$",
        description="where the handbook is served, with a slash at its end; empty: by the page",
    )

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can reach the address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def tls(self) -> bool:
        """Whether the page itself encrypts."""
        return self.cert_file is not None

    @property
    def encrypted(self) -> bool:
        """Whether browsers reach the page over TLS, its own or the proxy's."""
        return self.tls or bool(self.trusted_proxy)

    @property
    def needs_password(self) -> bool:
        """Whether the page may not be opened without one."""
        return not self.local or bool(self.trusted_proxy)

    @property
    def address_for_others(self) -> str:
        """URL of the page for a phone in the same network; empty where none can reach it."""
        if not self.needs_password or not self.names:
            return ""
        return f"https://{self.names[0]}" + ("" if self.trusted_proxy else f":{self.port}")

    @field_validator("trusted_proxy")
    @classmethod
    def _one_address(cls, given: str) -> str:
        """An address, never `*`: who is trusted may say who the browser is."""
        return str(ipaddress.ip_address(given)) if given else given

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: set both or neither")
        return self

    @model_validator(mode="after")
    def _others_only_over_tls(self) -> Self:
        if not self.local and not self.encrypted:
            raise ValueError(
                f"host {self.host} can be reached from other machines, and the page would show "
                "slides and take its password in plain text: set cert_file and key_file, or "
                "trusted_proxy where a proxy ends TLS, or leave host at 127.0.0.1"
            )
        return self
