"""The desk: what page, button and remote commands do, one thing at a time."""

from pathlib import Path
from typing import Any

from edge.desk.state import By, DeskState, Line
from edge.refusal import CaptureRefused
from imaging.quality import Quality
from imaging.types import Image


class Busy(CaptureRefused):
    """`station-busy`: something else is being done at this moment."""


class Desk:
    """Thread-safe. Every refusal is a `CaptureRefused` with code, sentence and remedy.

    SKELETON: the bodies follow within the hour; the names and types stay.
    """

    def start_slide(self, accession: str, by: By) -> str:
        """Begin a slide; the accession is turned into a token here and kept nowhere.

        Returns:
            The token.

        Raises:
            CaptureRefused: `slide-invalid`, `station-busy`.
        """
        raise NotImplementedError

    def start_token(self, token: str, by: By) -> str:
        """Begin a slide by its token, which is all that remote commands know."""
        raise NotImplementedError

    def start_barcode(self, by: By) -> str:
        """Read the barcode in the preview and begin its slide; returns the token.

        Raises:
            CaptureRefused: `no-barcode`, `station-busy`, `camera-failed`.
        """
        raise NotImplementedError

    def end_slide(self, by: By) -> None:
        """End the open slide; without one nothing happens."""
        raise NotImplementedError

    def hold(self, by: By) -> str | None:
        """A long press: ends the open slide (None), or begins the one whose barcode is in view."""
        raise NotImplementedError

    def capture(self, by: By, *, count: int | None = None) -> Line:
        """Take a burst, keep the sharpest, save it.

        Args:
            by: who asked.
            count: pictures of the burst; None for the setting's.

        Raises:
            CaptureRefused: `no-slide`, `station-busy`, or why the picture is unfit or not saved.
        """
        raise NotImplementedError

    def autofocus(self, by: By) -> Any:  # noqa: ANN401  # becomes edge.focus.sweep.Focused
        """Find the sharpest height with the stage.

        Raises:
            CaptureRefused: `no-stage`, `stage-failed`, `camera-failed`, `station-busy`.
        """
        raise NotImplementedError

    def start_scan(self, by: By, target_cells: int, *, resume: bool = True) -> None:
        """Scan the slide on a thread of its own; goes on where an interrupted one stopped."""
        raise NotImplementedError

    def stop_scan(self, by: By) -> None:
        """Stop after the field at hand; without a scan nothing happens."""
        raise NotImplementedError

    def calibrate(self, by: By) -> Any:  # noqa: ANN401  # becomes edge.calibration.Correction
        """White balance and flat field from the empty field in view; kept from now on."""
        raise NotImplementedError

    def set_camera(self, spec: str, by: By) -> str:
        """Use another camera (see `edge.cameras.open.SPECS`) until the restart; its name."""
        raise NotImplementedError

    def preview(self) -> Image:
        """What the camera sees: uint8, H×W×3, RGB, at most 640 wide; shared within one frame time.

        Raises:
            CaptureRefused: `camera-failed`.
        """
        raise NotImplementedError

    def snapshot(self) -> bytes:
        """The preview as JPEG, not saved; encoded once however many look."""
        raise NotImplementedError

    def look(self) -> Quality:
        """Focus, brightness and the rest of the preview; measured at most twice a second."""
        raise NotImplementedError

    def frame(self, capture_id: str) -> bytes | None:
        """JPEG of a recent capture, while the spool or the memory holds it."""
        raise NotImplementedError

    @property
    def state(self) -> DeskState:
        """Everything there is to see, now."""
        raise NotImplementedError

    def wait(self, seen_version: int, timeout_s: float) -> DeskState:
        """The state as soon as it is newer than `seen_version`, or after `timeout_s` seconds."""
        raise NotImplementedError

    def note_panel(self, *, present: bool) -> None:
        """Whether there are button and light."""
        raise NotImplementedError

    @property
    def data_dir(self) -> Path:
        """The station's folder, for what the rooms keep there."""
        raise NotImplementedError
