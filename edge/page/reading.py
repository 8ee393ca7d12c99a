"""What the page shows at this moment: the desk's state, and the needles while somebody looks."""

import time
from collections.abc import Sequence
from typing import Final

from edge.desk import Desk, DeskState
from edge.page.eye import Eye
from edge.page.handbook import Handbook
from edge.page.views import ErrorView, Seen
from edge.quality.bands import Band, bands
from edge.quality.days import Day
from edge.refusal import CaptureRefused

_TREND_S: Final = 60.0
"""How long a trend of days stays fresh, in seconds, while nothing is captured."""


class Reading:
    """Gathers. Used by one thread at a time for the streams, and by requests beside it.

    Args:
        desk: its state.
        eye: which sees whether somebody looks, and how sharp it is.
        handbook: where codes are explained.
    """

    def __init__(self, desk: Desk, eye: Eye, handbook: Handbook) -> None:
        self._desk = desk
        self._eye = eye
        self._handbook = handbook
        self._trend: tuple[str | None, float, Sequence[Day], str] = (None, 0.0, (), "")

    def now(self, state: DeskState | None = None) -> Seen:
        """All that the parts show; of that state, or of the desk's newest."""
        state = state or self._desk.state
        needles = self._needles(state)
        days, trend_warning = self._days(state)
        return Seen(
            state,
            bands=needles,
            hint=self._hint(state, needles),
            days=days,
            trend_warning=trend_warning,
            calibration=self._desk.calibration,
            drift=state.calibration_problem,
            troubles=[self._handbook.trouble(trouble) for trouble in state.troubles],
            error=self._refusal(state),
        )

    def blank(self, error: ErrorView | None) -> Seen:
        """An error, or none, and nothing measured for its sake."""
        return Seen(self._desk.state, error=error)

    def _needles(self, state: DeskState) -> Sequence[Band]:
        """The bands of what is in view; none while nobody looks or the camera is at work."""
        if not self._eye.watched or state.activity != "idle" or state.camera_problem:
            return ()
        try:
            return bands(self._desk.look())
        except CaptureRefused:  # the preview says so itself, with words in place of the picture
            return ()

    def _hint(self, state: DeskState, needles: Sequence[Band]) -> str:
        """For the hand; where a stage turns the focus, nobody's hand is asked."""
        hint = self._eye.hint
        if state.can.stage or not needles or hint is None:
            return ""
        sharp = any(band.name == "focus" and band.ok for band in needles)
        return "" if hint.turn == "search" and sharp else f"{hint.sign} {hint.word}"

    def _days(self, state: DeskState) -> tuple[Sequence[Day], str]:
        """Read from the disk after a capture and once a minute, not at every look."""
        newest = state.lines[0].capture_id if state.lines else None
        known, until, days, warning = self._trend
        if newest != known or time.monotonic() >= until:
            days, warning = self._desk.trend.days(), self._desk.trend.warning()
            self._trend = (newest, time.monotonic() + _TREND_S, days, warning)
        return days, warning

    def _refusal(self, state: DeskState) -> ErrorView | None:
        """Of button, remote command or scan: who presses on the page is answered there."""
        refusal = state.refusal
        if refusal is None or refusal.by == "page":
            return None
        return self._handbook.error(refusal.code, refusal.sentence, refusal.remedy)
