"""What keeps the pictures comparable: calibration, its drift, and the light over the days."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from edge.calibration import Correction, drift, store
from edge.calibration.make import from_empty_field
from edge.cameras.base import CameraError
from edge.capture import Capture, camera_failed
from edge.microscope import Microscope
from edge.quality.trend import Trend
from edge.trouble import Troubles

SHOTS: Final = 8
"""Pictures of a calibration."""
_TREND_EVERY_S: Final = 600.0

_Drift = tuple[str, str]


class Care:
    """Calibrates, and looks at every capture for what has changed.

    Args:
        data_dir: the station's folder.
        microscope: whose pictures are cared for.
        troubles: of the station; told what is wrong here.
    """

    def __init__(self, data_dir: Path, microscope: Microscope, troubles: Troubles) -> None:
        self._data_dir = data_dir
        self._microscope = microscope
        self._troubles = troubles
        self.trend = Trend(data_dir / "trend.db")
        self.problem = ""
        """Drift or dimming, in a sentence; empty when all is well."""
        self._drift = self._dimming = ""
        self._due = 0.0

    def correction(self, camera: str) -> Correction | None:
        """The stored correction of a camera; one that cannot be read is a trouble."""

        def unusable(sentence: str) -> None:
            self._troubles.note(
                "calibration-unreadable", sentence, remedy="Calibrate again on an empty field."
            )

        return store.load(self._data_dir, camera, unusable)

    def calibrate(self) -> Correction:
        """Make, keep and use a correction from the empty field in view.

        Raises:
            CalibrationError: it is no fit empty field, or the correction cannot be kept.
            CaptureRefused: `camera-failed`.
        """
        scope = self._microscope
        try:
            correction = from_empty_field(scope.raw(again=n > 0) for n in range(SHOTS))
        except CameraError as error:
            raise camera_failed(error) from error
        store.save(self._data_dir, scope.name, correction)
        scope.correction = correction
        self._drift = ""
        self._troubles.over("calibration-unreadable")
        self._tell()
        return correction

    def look(self, capture: Capture) -> None:
        """Note a saved capture."""
        now = datetime.now(UTC)
        if capture.frame.quality is not None:
            self.trend.note(now, capture.frame.quality)
        correction = self._microscope.correction
        if isinstance(correction, Correction):
            self._drift = drift.warning(correction, capture.shot.image, now)
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + _TREND_EVERY_S
            self._dimming = self.trend.warning()
        self._tell()

    def _tell(self) -> None:
        for code, sentence in (
            ("calibration-drift", self._drift),
            ("light-dimming", self._dimming),
            ("trend-failed", self.trend.problem),
        ):
            if sentence:
                self._troubles.note(code, sentence)
            else:
                self._troubles.over(code)
        self.problem = self._drift or self._dimming
