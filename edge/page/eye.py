"""The live preview: one encoder for all who look, and nothing done while nobody does."""

import time
from collections.abc import AsyncIterator, Callable
from typing import Final

from edge.desk import Desk
from edge.focus.guide import Guide, Hint
from edge.focus.measure import sharpness
from edge.page.broadcast import Broadcast
from edge.page.placeholder import placeholder
from edge.quality.bands import is_sharp
from edge.refusal import CaptureRefused

BOUNDARY: Final = "picture"
_PATIENCE_S: Final = 1.0
_AWAY_S: Final = 1.0
"""Seconds between two tries while the camera is away."""


class Eye:
    """Shows what the camera sees, and tells the hand at the fine focus which way to turn.

    Args:
        desk: takes the pictures.
        fps: pictures a second, above 0.

    Attributes:
        hint: for the hand; None while nobody looks, or with a stage.
    """

    def __init__(self, desk: Desk, fps: float) -> None:
        self.hint: Hint | None = None
        self._desk = desk
        self._every_s = 1 / fps
        self._due = 0.0
        self._guide = Guide()
        self._field: tuple[str | None, str | None] = (None, None)
        self._pictures = Broadcast("page-eye", self._next)

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return self._pictures.followers > 0

    def picture(self) -> bytes:
        """One picture, as JPEG; a still one with words when the camera is away."""
        try:
            return self._desk.snapshot()
        except CaptureRefused as refusal:
            return placeholder(refusal.sentence, refusal.remedy)

    async def stream(self, may_look: Callable[[], bool]) -> AsyncIterator[bytes]:
        """Pictures as parts of multipart/x-mixed-replace, until `may_look` denies it."""
        yield f"--{BOUNDARY}\r\n".encode()
        newest = b""
        async for picture in self._pictures.follow(_PATIENCE_S):
            if not may_look():
                return
            # Chromium shows a picture when the next one begins: a still one is sent once more.
            newest = picture or newest
            if newest:
                yield _part(newest)

    def close(self) -> None:
        """End all streams."""
        self._pictures.close()

    def _next(self) -> bytes:
        time.sleep(max(0.0, self._due - time.monotonic()))
        try:
            picture, pause = self._desk.snapshot(), self._every_s
            self._guide_hand()
        except CaptureRefused as refusal:
            picture, pause = placeholder(refusal.sentence, refusal.remedy), _AWAY_S
            self.hint = None
        # From when it was due, so that the pace is kept; never in the past, so that no time is
        # made up for after a halt.
        self._due = max(self._due + pause, time.monotonic())
        return picture

    def _guide_hand(self) -> None:
        state = self._desk.state
        if state.can.stage or state.activity != "idle":
            self.hint = None
            return
        field = (state.slide, state.lines[0].capture_id if state.lines else None)
        if field != self._field:  # after a capture the slide is moved: another field, another best
            self._field = field
            self._guide.reset()
        sharp = is_sharp(self._desk.look())
        self.hint = self._guide.tell(sharpness(self._desk.preview()), sharp=sharp)


def _part(picture: bytes) -> bytes:
    """With the next boundary at its end: Firefox shows a picture when it sees that."""
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
    return b"".join([head.encode(), picture, f"\r\n--{BOUNDARY}\r\n".encode()])
