"""What a serial stage is like: how long a step is, how far it goes, how much play it has."""

from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

AXES: Final = ("x", "y", "z")
Triple = tuple[float, float, float]


class SerialStageSettings(BaseModel):
    """Three numbers each: x, y, z. The defaults are an OpenFlexure microscope's of version 7."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    um_per_step: Triple = Field(
        (0.07, 0.07, 0.05),
        description="µm that one motor step moves x, y, z; negative turns the axis round",
    )
    low_um: Triple = Field(
        (-6000.0, -6000.0, -2000.0), description="lowest place of x, y, z from the zero, in µm"
    )
    high_um: Triple = Field(
        (6000.0, 6000.0, 2000.0), description="highest place of x, y, z from the zero, in µm"
    )
    backlash_um: Triple = Field(
        (15.0, 15.0, 8.0),
        description="play of x, y, z in µm, by which each place is come to from below",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        for axis, step, low, high, play in zip(
            AXES, self.um_per_step, self.low_um, self.high_um, self.backlash_um, strict=True
        ):
            if not step:
                raise ValueError(f"um_per_step of {axis} is 0: measure how far 1000 steps go")
            if low >= high:
                raise ValueError(f"low_um of {axis} ({low}) is not below its high_um ({high})")
            if play < 0:
                raise ValueError(f"backlash_um of {axis} is negative: take 0 or more")
        return self
