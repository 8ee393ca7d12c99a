"""Which pins button and light hang on, and how long a hold is."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class PanelSettings(BaseModel):
    """The panel: GPIO numbers are Broadcom's (GPIO17 is pin 11 of the header)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    button_gpio: int | None = Field(
        17, ge=0, le=27, description="the button, to ground; false for none"
    )
    light_gpio: int | None = Field(
        27, ge=0, le=27, description="the LED, through its resistor to ground; false for none"
    )
    hold_s: float = Field(
        1.5, ge=0.5, le=10, description="seconds down that make a hold of a press"
    )
    bounce_s: float = Field(
        0.03, ge=0, le=0.5, description="seconds in which a contact may chatter"
    )

    @model_validator(mode="before")
    @classmethod
    def _false_is_none(cls, given: object) -> object:
        """TOML has no null: `button_gpio = false` says that there is none."""
        if not isinstance(given, dict):
            return given
        pins = ("button_gpio", "light_gpio")
        absent = {name: None for name in pins if given.get(name) in (False, "false", "")}
        return given | absent

    @model_validator(mode="after")
    def _pins_differ(self) -> Self:
        if self.button_gpio is not None and self.button_gpio == self.light_gpio:
            raise ValueError(
                f"button_gpio and light_gpio are both {self.button_gpio}: give each its own"
            )
        return self

    @property
    def wanted(self) -> bool:
        """Whether there is a button or a light at all."""
        return self.button_gpio is not None or self.light_gpio is not None
