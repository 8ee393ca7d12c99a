"""The edge room's settings: TOML file and `LEUKOSCOPE_EDGE_…` variables."""

from pathlib import Path
from typing import Final, Self

import platformdirs
from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from edge.commands.names import DEFAULT_ALLOWED, CommandName
from edge.page.settings import PageSettings
from edge.panel.settings import PanelSettings
from edge.scan.settings import ScanSettings
from edge.stage.settings import SerialStageSettings
from wire.broker import BrokerSettings
from wire.limits import DEFAULT_IMAGE_BUDGET, MAX_IMAGE_BYTES
from wire.settings import RoomSettings
from wire.topics import checked_name

_ENVELOPE_BYTES: Final = 8192
"""All of a frame message but its image: 512 cells of 12 bytes and the rest, rounded up."""


class EdgeSettings(RoomSettings):
    """What one microscope's agent needs to know."""

    model_config = SettingsConfigDict(env_prefix="LEUKOSCOPE_EDGE_")

    site: str = Field(description="the laboratory's short name, as in topics")
    device: str = Field(description="this microscope's name; the certificate's common name")
    camera: str = Field("simulator", description="picamera2, opencv:0, folder:/path, simulator:7")
    camera_hang_s: float = Field(
        20.0,
        gt=0,
        description="seconds after which a picture counts as hung",
    )
    preview_fps: float = Field(10.0, gt=0, le=60, description="pictures a second of the preview")
    burst: int = Field(
        3, ge=1, le=20, description="pictures taken at a press; the sharpest is kept"
    )
    stage: str = Field("", description="empty without one, simulator, serial:/dev/ttyACM0")
    stage_serial: SerialStageSettings = SerialStageSettings()
    broker: BrokerSettings = BrokerSettings()
    page: PageSettings = PageSettings()
    scan: ScanSettings = ScanSettings()
    panel: PanelSettings = PanelSettings()
    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("leukoscope") / "edge",
        description="folder of the spool and of the slide key; private to the agent",
    )
    image_budget_bytes: int = Field(
        DEFAULT_IMAGE_BUDGET, ge=8192, le=MAX_IMAGE_BYTES, description="largest JPEG of a field"
    )
    window: int = Field(32, ge=1, le=1000, description="frames that may await their receipt")
    resend_after_s: float = Field(30.0, gt=0, description="wait for a receipt before resending")
    resend_max_s: float = Field(3600.0, gt=0, description="longest such wait; it doubles each time")
    min_free_mb: int = Field(
        200, ge=0, description="free disk, in MB, below which no capture is taken"
    )
    status_every_s: float = Field(60.0, gt=0, description="seconds between status messages")
    allow_commands: tuple[CommandName, ...] = Field(
        DEFAULT_ALLOWED, description="remote commands that this station carries out"
    )
    command_key_file: Path | None = Field(
        None, description="shared key; with it, only commands signed with it are carried out"
    )
    command_max_age_s: float = Field(
        120.0, gt=0, description="seconds after which an order that was on its way is refused"
    )
    log_json: bool = Field(default=True, description="logs as JSON lines; false for people")

    @field_validator("site", "device")
    @classmethod
    def _may_stand_in_a_topic(cls, name: str, info: ValidationInfo) -> str:
        return checked_name(name, str(info.field_name))

    @model_validator(mode="after")
    def _frame_passes_broker(self) -> Self:
        room = self.broker.max_payload_bytes - _ENVELOPE_BYTES
        if self.image_budget_bytes > room:
            raise ValueError(
                f"image_budget_bytes ({self.image_budget_bytes}) leaves no room for the message "
                f"around it: at most {room}, or raise broker.max_payload_bytes here and there"
            )
        return self

    @property
    def spool_file(self) -> Path:
        """The spool's SQLite file."""
        return self.data_dir / "spool.db"

    @property
    def slide_key_file(self) -> Path:
        """The key that turns accession numbers into slide tokens."""
        return self.data_dir / "slide.key"

    @property
    def page_password_file(self) -> Path:
        """The argon2 hash of the page's password; need not be there."""
        return self.page.password_file or self.data_dir / "page.password"
