"""What a scan is like."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from edge.scan.plan import Area, Plan
from edge.stage.base import Place


class ScanSettings(BaseModel):
    """Sizes of field and area, and when a scan focuses or gives up. Field size: of this camera."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field_um: tuple[float, float] = Field(
        (49.2, 36.9), description="µm from field to field, across and down: the picture's size"
    )
    area_um: tuple[float, float] = Field(
        (1000.0, 750.0), description="µm that a scan covers across and down, from where it begins"
    )
    refocus_every: int = Field(
        10, ge=0, description="fields after which a scan focuses again; 0 never focuses"
    )
    refocus_span_um: float = Field(
        6.0, gt=0, description="µm of height that a scan looks through when it focuses"
    )
    most_refused: int = Field(
        12, ge=1, description="refused fields in a row after which a scan stops"
    )

    @model_validator(mode="after")
    def _can_be_scanned(self) -> Self:
        self.plan(Place(0, 0))  # says what is wrong with field_um and area_um
        return self

    def plan(self, start: Place) -> Plan:
        """The area's fields, the first of them where the stage is."""
        return Plan(Area(start.x, start.y, *self.area_um), *self.field_um)
