"""The cloud room's settings: TOML file and `LEUKOSCOPE_CLOUD_…` variables."""

import os
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from cloud.accounts.settings import OidcSettings
from cloud.page.settings import PageSettings
from cloud.signing.settings import FhirSettings
from wire.broker import BrokerSettings
from wire.settings import RoomSettings
from wire.store import BucketSettings


class StoreSettings(BucketSettings):
    """The S3 bucket that holds frames, results, dead letters and models."""

    dead_letter_days: int = Field(90, ge=1, description="days until a dead letter expires")
    frame_days: int | None = Field(
        None, ge=1, description="days until an image expires; None keeps"
    )


class CloudSettings(RoomSettings):
    """What the worker and its tools need to know."""

    model_config = SettingsConfigDict(
        env_prefix="LEUKOSCOPE_CLOUD_",
        protected_namespaces=(),  # `model_poll_s` is ours; old pydantic minds it
    )

    broker: BrokerSettings = BrokerSettings()
    page: PageSettings = PageSettings()
    store: StoreSettings = StoreSettings()
    name: str = Field("worker-1", description="unique per worker: its broker session hangs on it")
    site: str | None = Field(None, description="serve one site only; None for all")
    share_group: str | None = Field(
        None, description="MQTT share group, so that many workers divide the frames"
    )
    bundle: Path | None = Field(
        None,
        description="model bundle folder; None: the one shipped. "
        "With `model`, what works while none is promoted",
    )
    trusted_keys: tuple[Path, ...] = Field(
        (),
        description="public keys (.pem), or folders of them, whose bundles are taken, "
        "beside leukoscope's own",
    )
    allow_unsigned: bool = Field(
        default=False, description="take bundles without a signature by a trusted key: for trials"
    )
    model: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$",
        description="model of the registry to follow; None: `bundle`, and no looking",
    )
    model_poll_s: float = Field(
        10.0, gt=0, description="seconds between two looks at which version is live"
    )
    model_cache: Path | None = Field(
        None, description="folder for fetched bundles; None: this user's cache"
    )
    index_url: SecretStr | None = Field(
        None,
        description="database of the projection, an URL of SQLAlchemy: postgresql+psycopg://… or "
        "sqlite:///FILE; None: SQLite in this user's data folder",
    )
    review_key: Path | None = Field(
        None, description="private key (Ed25519, PEM) that signs what readers do: `review-key`"
    )
    review_trusted: tuple[Path, ...] = Field(
        (), description="public keys (.pub) whose signatures count: each that ever signed here"
    )
    second_reader: bool = Field(
        default=False,
        description="two readers sign a report: the first one's signature waits for another's; "
        "what is signed is then amended by a lead",
    )
    accounts_url: SecretStr | None = Field(
        None,
        description="database of accounts, sessions and the audit log, an URL of SQLAlchemy as "
        "index_url; None: accounts.sqlite in this user's data folder",
    )
    oidc: OidcSettings | None = Field(
        None, description="OpenID Connect provider by which accounts may come in, too"
    )
    fhir: FhirSettings = FhirSettings()
    fhir_codes: Path | None = Field(
        None, description="codes of FHIR reports (TOML); None: the shipped cloud/reports/fhir file"
    )
    picture_cache: Path | None = Field(
        None,
        description="folder in which the reading room keeps pictures and old models; None: this "
        "user's cache",
    )
    picture_cache_mb: int = Field(
        512, ge=0, description="how much of pictures is kept there; 0 keeps them in memory only"
    )
    push_key: Path | None = Field(
        None, description="private key that push services know this room by: `push-key`; None: off"
    )
    push_contact: str | None = Field(
        None,
        pattern=r"^(mailto:[^\s@<>]+@|https://)[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$",
        description="whom a push service may write to: mailto:NAME@HOST, or https://HOST",
    )
    push_every_minutes: float = Field(
        10.0, ge=0, le=1440, description="a device is told at most once in so many minutes"
    )
    push_services: tuple[str, ...] = Field(
        (
            "fcm.googleapis.com",  # Chrome, Edge on Android, Opera, Samsung, Brave
            "push.services.mozilla.com",  # Firefox
            "push.apple.com",  # Safari
            "notify.windows.com",  # Edge on Windows
        ),
        description="hosts of push services, and all under them; a browser that names another "
        "is refused",
    )
    push_private: bool = Field(
        default=False,
        description="push services may have private addresses and other ports: for trials",
    )
    in_hand: int = Field(32, ge=1, le=1024, description="frames taken from the broker at a time")
    threads: int = Field(
        default_factory=lambda: min(4, os.cpu_count() or 1),
        ge=1,
        le=64,
        description="threads that decode and classify",
    )
    http_host: str = Field("127.0.0.1", description="address of /healthz and /metrics")
    http_port: int = Field(9464, ge=0, le=65_535, description="its port; 0 turns it off")
    retry_max_s: float = Field(5.0, gt=0, description="longest wait before trying the store again")
    drain_s: float = Field(10.0, ge=0, description="seconds to finish frames in hand at the end")
    log_json: bool = Field(default=True, description="logs as JSON lines; false for people")

    @model_validator(mode="after")
    def _push_key_with_contact(self) -> Self:
        if (self.push_key is None) != (self.push_contact is None):
            raise ValueError("push_key and push_contact go together: set both or neither")
        return self
