"""The recent captures: what has become of each, and its picture."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Final

import msgspec
import structlog

from edge.capture import Capture
from edge.desk.state import By, Line
from edge.identity import new_capture_id
from edge.refusal import CaptureRefused
from edge.spool import Spool, SpoolError
from imaging.quality import Quality
from wire.codec import MessageError, decode_frame
from wire.messages import Frame, FrameResult, Receipt

MOST: Final = 50
_EARLY: Final = 64

_log = structlog.get_logger("edge.desk")


class Ledger:
    """Lines, newest first, at most MOST. Thread-safe.

    Tidings of a capture may come before the capture itself is written down, because the agent sends
    what it finds in the spool; they are kept for it. A capture that is newer than all known ones
    and that nobody wrote down came from the command line, and gets a line too.

    Args:
        spool: opened; what it holds from before is the ledger's beginning.
        changed: called after every change, on any thread.
    """

    def __init__(self, spool: Spool, changed: Callable[[], None]) -> None:
        self._spool = spool
        self._changed = changed
        self._lock = threading.Lock()
        self._lines: OrderedDict[str, Line] = OrderedDict()
        self._pictures: dict[str, bytes] = {}
        self._results: OrderedDict[str, FrameResult] = OrderedDict()
        self._newest = ""
        self._restore()

    @property
    def lines(self) -> tuple[Line, ...]:
        """Newest first."""
        with self._lock:
            return tuple(reversed(self._lines.values()))

    def saved(self, capture: Capture, by: By) -> Line:
        """Write a capture down that is in the spool."""
        frame = capture.frame
        line = _line(frame, by)
        ending = self._ending(frame.capture_id)
        with self._lock:
            known = self._lines.get(frame.capture_id)
            if known is not None:  # the agent was quicker
                line = replace(known, by=by)
            elif ending is not None and ending[0] == "stored":
                line = replace(line, sent=True, stored=True)
            result = self._results.pop(frame.capture_id, None)
            line = line if result is None else _with_result(line, result)
            self._put(line, frame.image)
        self._changed()
        return line

    def refused(
        self, slide: str, refusal: CaptureRefused, by: By, quality: Quality | None, picture: bytes
    ) -> Line:
        """Write a picture down that was not saved.

        Args:
            slide: token.
            refusal: why.
            by: who pressed.
            quality: of the picture; None where there was none.
            picture: JPEG; empty where there was none.
        """
        line = Line(
            new_capture_id(),
            slide,
            datetime.now(UTC),
            by,
            refused=refusal.may_travel,
            reason=refusal.reason,
            quality={} if quality is None else asdict(quality),
        )
        with self._lock:
            self._put(line, picture)
        self._changed()
        return line

    def sent(self, capture_id: str) -> None:
        """A frame went out."""
        if not self._update(capture_id, lambda line: replace(_well(line), sent=True)):
            self._found(capture_id)

    def settled(self, receipt: Receipt) -> None:
        """A receipt came."""
        capture_id = receipt.capture_id or ""
        if receipt.outcome == "stored":
            self._update(capture_id, lambda line: replace(_well(line), sent=True, stored=True))
        else:
            self._update(
                capture_id,
                lambda line: replace(
                    line, sent=True, refused=receipt.detail, reason=receipt.reason
                ),
            )

    def result(self, result: FrameResult) -> None:
        """A suggested result came back."""
        if self._update(result.capture_id, lambda line: _with_result(line, result)):
            return
        with self._lock:  # of a capture that is just being written down, or of one long gone
            self._results[result.capture_id] = result
            while len(self._results) > _EARLY:
                self._results.popitem(last=False)

    def picture(self, capture_id: str) -> bytes | None:
        """JPEG of a capture, while there is one here or in the spool."""
        with self._lock:
            picture = self._pictures.get(capture_id)
        if picture:
            return picture
        frame = self._frame(capture_id)
        return None if frame is None else frame.image

    def _update(self, capture_id: str, change: Callable[[Line], Line]) -> bool:
        with self._lock:
            line = self._lines.get(capture_id)
            if line is None:
                return False
            self._lines[capture_id] = changed = change(line)
        if changed != line:
            self._changed()
        return True

    def _found(self, capture_id: str) -> None:
        """A frame was sent that nobody here took."""
        if capture_id <= self._newest:  # an old one, out of a long queue
            return
        frame = self._frame(capture_id)
        if frame is None:
            return
        with self._lock:
            if capture_id not in self._lines:
                self._put(replace(_line(frame, "station"), sent=True), b"")
        self._changed()

    def _put(self, line: Line, picture: bytes) -> None:
        """Under the lock."""
        self._lines[line.capture_id] = line
        self._newest = max(self._newest, line.capture_id)
        if picture:
            self._pictures[line.capture_id] = picture
        while len(self._lines) > MOST:
            gone, _ = self._lines.popitem(last=False)
            self._pictures.pop(gone, None)

    def _ending(self, capture_id: str) -> tuple[str, str] | None:
        try:
            return self._spool.ending(capture_id)
        except SpoolError as error:  # it was saved all the same; its receipt comes again
            _log.error("ending_unknown", capture_id=capture_id, cause=str(error))
            return None

    def _frame(self, capture_id: str) -> Frame | None:
        try:
            payload = self._spool.payload(capture_id)
            return None if payload is None else decode_frame(payload)
        except (SpoolError, MessageError) as error:
            _log.error("frame_unreadable", capture_id=capture_id, cause=str(error))
            return None

    def _restore(self) -> None:
        """Begin with what the spool holds; what was stored before is the cloud's to show."""
        for entry in self._spool.entries()[-MOST:]:
            frame = self._frame(entry.capture_id)
            if frame is None:
                continue
            line = _line(frame, "station")
            if entry.state == "refused":
                line = replace(line, sent=True, refused=entry.detail, reason=entry.reason)
            self._put(line, b"")


def _well(line: Line) -> Line:
    """A frame that was refused and is sent again is not refused at the moment."""
    return replace(line, refused="", reason="")


def _line(frame: Frame, by: By) -> Line:
    quality = {} if frame.quality is None else msgspec.structs.asdict(frame.quality)
    return Line(
        frame.capture_id,
        frame.slide,
        frame.captured_at,
        by,
        cells=len(frame.cells or ()),
        saved=True,
        quality=quality,
    )


def _with_result(line: Line, result: FrameResult) -> Line:
    counts = {str(label): count for label, count in result.counts.items()}
    return replace(line, suggestion=result.label, counts=counts)
