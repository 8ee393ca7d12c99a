"""The pins that button and light hang on, through gpiozero, which is loaded only here."""

import warnings
from dataclasses import dataclass
from typing import Any

from edge.panel.settings import PanelSettings


class PanelUnavailable(RuntimeError):  # noqa: N818  # a fact of this machine, not a fault
    """There is no GPIO here, or its pins are taken. The message says what to do."""


@dataclass(frozen=True)
class Pins:
    """Opened pins: gpiozero's `Button` and `LED`; None where the settings name no pin."""

    button: Any
    light: Any

    def close(self) -> None:
        """Give the pins back. May be called twice."""
        for device in (self.button, self.light):
            if device is not None:
                device.close()


def open_pins(settings: PanelSettings, factory: object = None) -> Pins:
    """Take the pins.

    Args:
        settings: which.
        factory: gpiozero's pin factory; None for the one of this machine.

    Raises:
        PanelUnavailable: see there.
    """
    gpiozero = _gpiozero()
    taken: list[Any] = []
    try:
        with warnings.catch_warnings():
            # It warns of each way to the pins that is not installed; the last error tells all.
            warnings.simplefilter("ignore", gpiozero.GPIOZeroWarning)
            button = _button(gpiozero, settings, factory)
            taken.append(button)
            light = _light(gpiozero, settings, factory)
    except Exception as error:  # lgpio's own error is a bare Exception
        Pins(*taken, *(None,) * (2 - len(taken))).close()
        raise _unavailable(gpiozero, settings, error) from error
    return Pins(button, light)


def _gpiozero() -> Any:  # noqa: ANN401  # gpiozero ships no type information
    try:
        import gpiozero
    except ImportError as error:
        raise PanelUnavailable(
            f"gpiozero does not load ({error}): install leukoscope[edge] again"
        ) from error
    return gpiozero


def _button(gpiozero: Any, settings: PanelSettings, factory: object) -> Any:  # noqa: ANN401  # as above
    if settings.button_gpio is None:
        return None
    return gpiozero.Button(
        settings.button_gpio,
        hold_time=settings.hold_s,
        bounce_time=settings.bounce_s or None,
        pin_factory=factory,
    )


def _light(gpiozero: Any, settings: PanelSettings, factory: object) -> Any:  # noqa: ANN401  # as above
    if settings.light_gpio is None:
        return None
    return gpiozero.LED(settings.light_gpio, pin_factory=factory)


def _unavailable(gpiozero: Any, settings: PanelSettings, error: Exception) -> PanelUnavailable:  # noqa: ANN401  # as above
    if isinstance(error, gpiozero.BadPinFactory | gpiozero.PinUnknownPi):
        return PanelUnavailable(
            f"no GPIO on this machine ({error}): on a Raspberry Pi install python3-lgpio; "
            "elsewhere use the page"
        )
    return PanelUnavailable(
        f"GPIO {settings.button_gpio} and {settings.light_gpio} cannot be taken ({error}): check "
        "that this user is in the group gpio and that no other program has these pins"
    )
