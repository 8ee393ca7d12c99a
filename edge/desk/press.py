"""One press: a burst, the sharpest of it saved, and a line of what came of it."""

from collections.abc import Callable

from edge.cameras.base import CameraExhausted, Shot
from edge.capture import Capture, Capturer
from edge.desk.ledger import Ledger
from edge.desk.state import By, Line
from edge.desk.view import jpeg
from edge.focus.burst import burst
from edge.microscope import Microscope
from edge.refusal import CaptureRefused
from imaging.quality import measure


class Press:
    """Takes captures and writes them down.

    Args:
        microscope: takes the pictures.
        capturer: judges and saves them.
        ledger: of the lines.
        saved: called with each capture that is saved and written down.
    """

    def __init__(
        self,
        microscope: Microscope,
        capturer: Capturer,
        ledger: Ledger,
        saved: Callable[[Capture], None],
    ) -> None:
        self._microscope = microscope
        self._capturer = capturer
        self._ledger = ledger
        self._tell_saved = saved

    def take(self, slide: str, by: By, count: int, capture_id: str | None = None) -> Line:
        """Take `count` pictures of the field in view and save the sharpest.

        Args:
            slide: token.
            by: who asked.
            count: pictures of the burst.
            capture_id: one that was reserved for it; None for a new one.

        Raises:
            CaptureRefused: why the picture is unfit or not saved; written down too.
        """
        taken = _Burst(self._microscope, count)
        try:
            capture = self._capturer.capture(slide, taken, capture_id)
        except CameraExhausted as error:
            refusal = CaptureRefused(
                "camera-failed",
                "The camera has no further picture to replay.",
                "Begin again with another folder.",
            )
            self._refused(slide, refusal, by, None)
            raise refusal from error
        except CaptureRefused as refusal:
            self._refused(slide, refusal, by, taken.shot)
            raise
        line = self._ledger.saved(capture, by)
        self._tell_saved(capture)
        return line

    def _refused(self, slide: str, refusal: CaptureRefused, by: By, shot: Shot | None) -> None:
        """A refused picture; a scan counts its own, which would push all others off the page."""
        if by == "scan":
            return
        if shot is None:
            self._ledger.refused(slide, refusal, by, None, b"")
        else:
            # A label's picture is not kept, not even for the page's list.
            picture = b"" if refusal.reason == "label-in-view" else jpeg(shot.image)
            quality = measure(shot.image)
            self._ledger.refused(slide, refusal, by, quality, picture)


class _Burst:
    """Takes the pictures of one capture; remembers the one that was kept."""

    def __init__(self, microscope: Microscope, count: int) -> None:
        self._microscope = microscope
        self._count = count
        self._begun = False
        self.shot: Shot | None = None

    def __call__(self) -> Shot:
        self.shot = burst(self._one, self._count)[0] if self._count > 1 else self._one()
        return self.shot

    def _one(self) -> Shot:
        if self._begun:
            return self._microscope.again()
        self._begun = True
        return self._microscope.capture()
