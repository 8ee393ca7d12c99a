"""Guides the hand that turns the focus, where no stage does: a word and a sign, never a colour."""

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

Turn = Literal["search", "closer", "back", "in-focus"]

_SMOOTH: Final = 3
"""Pictures whose median is believed: one shaken picture says nothing."""

_MOVED: Final = 0.04
"""Relative change of the sharpness that is a turn of the knob, not noise."""

_IN_FOCUS: Final = 0.92
"""Part of the best that counts as in focus, once the best was passed and come back to…"""

_LEFT: Final = 0.8
"""…and below which it is out of focus again: the word does not flicker between the two."""

_PASSED: Final = 0.85
"""Part of the best below which it is certain that the best was passed."""

_A_HILL: Final = 1.3
"""The best is a hill's top when it stands so far above the lowest that was seen."""

_FORGET: Final = 0.998
"""Factor on the best at each look below it: after the slide moved to a paler field the old best
is forgotten in some 20 s at 10 looks a second."""


@dataclass(frozen=True)
class Hint:
    """What the hand does now."""

    turn: Turn
    """For programs."""
    word: str
    """For people."""
    sign: str
    """One character that says the same at a glance."""
    level: float
    """Sharpness as part of the best seen, 0 to 1: where the needle stands."""


_WORDS: Final[dict[Turn, tuple[str, str]]] = {
    "search": ("keep turning", "…"),
    "closer": ("closer", "▲"),
    "back": ("past it, turn back", "↺"),
    "in-focus": ("in focus", "●"),
}


class Guide:
    """Hears the sharpness of each picture of one field and says which way to turn.

    It knows no heights, only whether turning helps: rising is *closer*; a clear fall below the
    best seen is *past it, turn back*; back near the best is *in focus*, until it is clearly left.
    A picture that is sharp by itself is in focus too, as long as turning does not better it.
    Call `reset` when the slide is moved.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was seen: another field comes."""
        self._recent: deque[float] = deque(maxlen=_SMOOTH)
        self._best = self._top = 0.0
        self._lowest = float("inf")
        self._mark = 0.0
        self._passed = False
        self._turn: Turn = "search"

    def tell(self, sharpness: float, *, sharp: bool = False) -> Hint:
        """Hear of the next picture; say what to do.

        Args:
            sharpness: of the picture (`edge.focus.measure.sharpness`).
            sharp: whether the picture is sharp enough by itself (`edge.quality.bands.is_sharp`).
        """
        self._recent.append(sharpness)
        now = median(self._recent)
        self._remember(now)
        self._turn = self._next(now, sharp=sharp)
        word, sign = _WORDS[self._turn]
        return Hint(self._turn, word, sign, now / self._best if self._best else 0.0)

    def _remember(self, now: float) -> None:
        self._best = max(now, self._best * _FORGET)
        self._top = max(now, self._top)
        if now == self._best < _LEFT * self._top:  # the old best is forgotten: begin anew from here
            self._top = self._lowest = now
        self._lowest = min(now, self._lowest)
        if self._best < _A_HILL * self._lowest:
            self._passed = False  # nothing stands out: noise, or another field
        elif now < _PASSED * self._best:
            self._passed = True

    def _next(self, now: float, *, sharp: bool) -> Turn:
        moved = self._moved(now)
        at_best = now >= (_LEFT if self._turn == "in-focus" else _IN_FOCUS) * self._best
        if at_best and (self._passed or (sharp and moved <= 0)):
            return "in-focus"
        if moved > 0:
            return "closer"
        if moved < 0:
            return "back"
        return "search" if self._turn == "in-focus" else self._turn

    def _moved(self, now: float) -> int:
        """1 up, −1 down, 0 as before: against a mark that follows only clear changes."""
        if not self._mark:
            self._mark = now
        change = now / self._mark - 1 if self._mark else 0.0
        if abs(change) < _MOVED:
            return 0
        self._mark = now
        return 1 if change > 0 else -1
