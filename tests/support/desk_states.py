"""States of the desk, for what shows them."""

from datetime import UTC, datetime

from edge.desk.state import By, Can, DeskState, Line, Refusal

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def quiet() -> DeskState:
    """Nothing is open, done or wrong."""
    return DeskState(
        version=1,
        slide=None,
        slide_since=None,
        activity="idle",
        lines=(),
        waiting=0,
        refused=0,
        disk_free_mb=10_000,
        broker=True,
        broker_problem="",
        clock_problem="",
        certificate_problem="",
        camera_problem="",
        calibration_problem="",
        troubles=(),
        refusal=None,
        scan=None,
        can=Can(),
    )


def line(capture_id: str, *, saved: bool = False, sent: bool = False, by: By = "button") -> Line:
    """One capture of slide s1."""
    return Line(capture_id, "s1", NOON, by, saved=saved, sent=sent)


def refusal(code: str) -> Refusal:
    """One that a press met."""
    return Refusal(code, "It was not done.", "Do it otherwise.", datetime.now(UTC), "button")
