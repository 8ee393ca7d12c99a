"""Settings of the way in by OpenID Connect."""

import ipaddress
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class OidcSettings(BaseModel):
    """The provider that says who somebody is. Accounts are still added here, one by one."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    issuer: str = Field(
        max_length=300,
        description="the provider's address, as it calls itself: /.well-known/openid-configuration "
        "lies below it",
    )
    client_id: str = Field(min_length=1, max_length=255, description="this page's name there")
    client_secret: SecretStr | None = Field(
        None, description="its secret; None where the provider gave none (PKCE is always used)"
    )
    page_url: str = Field(
        max_length=300,
        description="https://HOST that browsers reach the page by; the provider has to know "
        "https://HOST/oidc/callback as redirect address",
    )
    button: str = Field(
        "Sign in with single sign-on",
        min_length=1,
        max_length=60,
        description="what the button on the sign-in page says",
    )

    @property
    def callback(self) -> str:
        """Where the provider sends the browser back to."""
        return f"{self.page_url}/oidc/callback"

    @field_validator("issuer", "page_url")
    @classmethod
    def _encrypted(cls, given: str) -> str:
        return checked_url(given)

    @model_validator(mode="after")
    def _as_short_as_meant(self) -> Self:
        if urlsplit(self.issuer).query:
            raise ValueError("issuer is an address without ?")
        parts = urlsplit(self.page_url)
        if parts.path not in ("", "/") or parts.query:
            raise ValueError("page_url is https://HOST or https://HOST:PORT, without a path")
        return self

    @field_validator("page_url")
    @classmethod
    def _without_slash(cls, given: str) -> str:
        return given.removesuffix("/")


def checked_url(given: str) -> str:
    """An address that is encrypted; plain http only to this machine, for trials.

    Raises:
        ValueError: it is not.
    """
    parts = urlsplit(given)
    plain = parts.scheme == "http" and _is_here(parts.hostname or "")
    if not (parts.hostname and (parts.scheme == "https" or plain)):
        raise ValueError("an https:// address (http:// only on this machine)")
    if parts.fragment or parts.username is not None:
        raise ValueError("an address without # or user name")
    return given


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
