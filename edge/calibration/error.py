"""A calibration that cannot be."""

from edge.refusal import CaptureRefused


class CalibrationError(CaptureRefused):
    """The pictures are no fit empty field, or the calibration cannot be kept; what to do."""
