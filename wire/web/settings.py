"""Settings that every served page has: where it listens, and how it is protected."""

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class ServedSettings(BaseModel):
    """Where a page listens. On any address but 127.0.0.1 it wants TLS, its own or a proxy's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="address the page listens on")
    port: int = Field(ge=0, le=65_535, description="TCP port; 0 takes any free one")
    names: tuple[str, ...] = Field(
        (), description="host names the page is called by, beside this machine's own"
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
    def for_others(self) -> bool:
        """Whether other machines can reach the page."""
        return not self.local or bool(self.trusted_proxy)

    @property
    def address_for_others(self) -> str:
        """URL of the page for a phone in the same network; empty where none can reach it."""
        if not self.for_others or not self.names:
            return ""
        return f"https://{self.names[0]}" + ("" if self.trusted_proxy else f":{self.port}")

    @property
    def handbook(self) -> str:
        """URL of the handbook's page of refusals: where it is served, else the page's own copy."""
        return f"{self.docs_url}refusals.html" if self.docs_url else "/refusals"

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
