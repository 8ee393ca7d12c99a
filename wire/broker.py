"""Settings of a broker connection, the same for every program that has one."""

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from wire.limits import DEFAULT_MAX_PAYLOAD


class BrokerSettings(BaseModel):
    """Where the MQTT broker is and how it is spoken to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", min_length=1, description="broker's host name or address")
    port: int = Field(1883, ge=1, le=65_535, description="TCP port; 8883 is usual with TLS")
    protocol: Literal["5", "3.1.1"] = Field("5", description="MQTT version the broker speaks")
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = Field(default=False, description="encrypt with the system's certificates")
    ca_file: Path | None = Field(None, description="certificates to trust (PEM); implies tls")
    cert_file: Path | None = Field(None, description="this client's certificate (PEM)")
    key_file: Path | None = Field(None, description="this client's private key (PEM)")
    keepalive_s: int = Field(60, ge=5, le=3600, description="seconds between signs of life")
    session_expiry_s: int = Field(
        604_800, ge=0, description="seconds the broker keeps messages for an absent client (MQTT 5)"
    )
    reconnect_min_s: float = Field(0.5, gt=0, description="first wait before reconnecting, seconds")
    reconnect_max_s: float = Field(30.0, gt=0, description="longest such wait, seconds")
    max_payload_bytes: int = Field(
        DEFAULT_MAX_PAYLOAD, ge=4096, description="larger messages are refused before publishing"
    )
    max_inflight: int = Field(
        20, ge=1, le=65_535, description="publishes that may await the broker's answer at a time"
    )

    @model_validator(mode="after")
    def _certificate_with_key(self) -> Self:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together: set both or neither")
        return self

    @property
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.tls or self.ca_file is not None or self.cert_file is not None
