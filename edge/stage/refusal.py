"""What a stage's failure is to the technician."""

from edge.refusal import CaptureRefused
from edge.stage.base import StageError


def stage_failed(error: StageError) -> CaptureRefused:
    """The refusal that a stage's failure is; its words stay at the station."""
    return CaptureRefused(
        "stage-failed",
        "The stage did not move as it was told.",
        "Check the stage's plug, power and way, then try again.",
        f"It says: {error}.",
    )


def no_stage() -> CaptureRefused:
    """The refusal of what only a stage can do."""
    return CaptureRefused(
        "no-stage",
        "This microscope has no stage that the station can move.",
        "Move the slide and the focus by hand, or name the stage in the settings.",
    )
