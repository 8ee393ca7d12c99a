"""Where signed reports are posted."""

import ipaddress
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class FhirSettings(BaseModel):
    """A FHIR R4 server; without `url` signed reports stay in the bucket, where others fetch them.

    Only what is signed is posted, never what is preliminary.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        None,
        pattern=r"^https?://[^\s?#@]+$",
        description="base address of the server, such as https://fhir.example/R4; None posts none",
    )
    token: SecretStr | None = Field(None, description="bearer token")
    username: str | None = Field(None, description="instead of a token, with `password`")
    password: SecretStr | None = None
    ca_file: Path | None = Field(
        None, description="certificates (PEM) that the server's is held against; None: the system's"
    )
    timeout_s: float = Field(30.0, gt=0, description="of one request, seconds")
    retry_max_s: float = Field(
        300.0, gt=0, description="longest wait before the next try, unless the server asks for more"
    )

    @field_validator("url")
    @classmethod
    def _encrypted(cls, given: str | None) -> str | None:
        if given is not None and given.startswith("http://") and not _local(given):
            raise ValueError("reports leave this machine over TLS only: https://…")
        return given

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together: set both or neither")
        if self.token is not None and self.username is not None:
            raise ValueError("set token, or username and password")
        return self


def _local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
