"""What the light says: every pattern it knows, in one table. docs/pi.md shows the same table."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Pattern:
    """How the light behaves to say one thing.

    One LED, on or off: no colour, no half brightness, so that it is read by everybody and on any
    pin.

    Attributes:
        name: for logs and tests.
        means: what it says to the technician.
        looks: how to recognise it.
        steps: lit or dark, and for how many seconds; played from the start again and again, or
            once where it tells of an event.
        once: it tells of an event; what lasts is shown again afterwards.
    """

    name: str
    means: str
    looks: str
    steps: tuple[tuple[bool, float], ...]
    once: bool = False

    @property
    def seconds(self) -> float:
        """How long one round takes."""
        return sum(seconds for _, seconds in self.steps)


def _blinks(count: int, lit_s: float, dark_s: float) -> tuple[tuple[bool, float], ...]:
    return ((True, lit_s), (False, dark_s)) * count


def _three(*, lit: bool, each_s: float, pause_s: float) -> tuple[tuple[bool, float], ...]:
    one = ((lit, each_s), (not lit, each_s))
    return (*one, *one, (lit, each_s), (not lit, pause_s))


_BREATH: Final = ((False, 0.4),)
"""Dark before and after an event, so that it stands out from a steady light."""

NO_SLIDE: Final = Pattern(
    "no-slide",
    "ready, and no slide is open: scan or type its number",
    "dark, one short blink every 4 seconds",
    ((True, 0.1), (False, 3.9)),
)
READY: Final = Pattern(
    "ready",
    "a slide is open: press to capture",
    "lit",
    ((True, 60.0),),
)
WORKING: Final = Pattern(
    "working",
    "capturing, focusing, scanning or calibrating: wait",
    "even blinking, without a pause",
    _blinks(1, 0.2, 0.2),
)
TROUBLE: Final = Pattern(
    "trouble",
    "something is wrong, and no slide is open: the page says what",
    "dark, three blinks every 2 seconds",
    _three(lit=True, each_s=0.15, pause_s=1.25),
)
TROUBLE_OPEN: Final = Pattern(
    "trouble-open",
    "something is wrong, and a slide is open: the page says what; a press still captures",
    "lit, three gaps every 2 seconds",
    _three(lit=False, each_s=0.15, pause_s=1.25),
)
SAVED: Final = Pattern(
    "saved",
    "saved on this station: move the slide on",
    "two blinks",
    (*_BREATH, *_blinks(2, 0.2, 0.2), *_BREATH),
    once=True,
)
SENT: Final = Pattern(
    "sent",
    "sent to the cloud",
    "one long blink",
    (*_BREATH, (True, 1.0), *_BREATH),
    once=True,
)
REFUSED: Final = Pattern(
    "refused",
    "not done: the page says why and what to do",
    "six fast blinks",
    (*_BREATH, *_blinks(6, 0.08, 0.08), *_BREATH),
    once=True,
)
HELD: Final = Pattern(
    "held",
    "held long enough: let go",
    "dark for a moment, then lit for a moment",
    ((False, 0.25), (True, 0.25)),
    once=True,
)
SCAN_NUMBER: Final = Pattern(
    "scan-number",
    "no slide is open, so nothing was done: scan or type the number of the next",
    "two long blinks",
    (*_BREATH, *_blinks(2, 0.7, 0.4), *_BREATH),
    once=True,
)

LASTING: Final = (NO_SLIDE, READY, WORKING, TROUBLE, TROUBLE_OPEN)
EVENTS: Final = (SAVED, SENT, REFUSED, HELD, SCAN_NUMBER)
