"""Settings of the capture page."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class PageSettings(BaseModel):
    """Where the capture page listens and how it is protected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="address the page listens on")
    port: int = Field(8730, ge=1, le=65_535, description="TCP port of the page")
    password_file: Path | None = Field(None, description="argon2 hash; demanded off 127.0.0.1")
    cert_file: Path | None = Field(None, description="the page's TLS certificate (PEM)")
    key_file: Path | None = Field(None, description="its private key (PEM)")
    trusted: bool = Field(default=False, description="no password, even off 127.0.0.1")
