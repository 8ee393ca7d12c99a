"""White balance and flat field from an empty field: made once, stored, applied, watched.

`make.from_empty_field` makes a `Correction` of pictures of bare glass, `store` keeps it per camera,
`Correction.apply` makes the glass white and even, and `drift.warning` says when it no longer does.
"""

from edge.calibration.correction import Correction
from edge.calibration.error import CalibrationError

__all__ = ["CalibrationError", "Correction"]
