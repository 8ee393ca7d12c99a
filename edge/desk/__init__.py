"""The technician's desk: one slide, one activity at a time, and what has become of each capture."""

from edge.desk.desk import Desk
from edge.desk.once import Busy
from edge.desk.state import Activity, By, Can, DeskState, Line, Refusal, ScanState
from edge.trouble import Trouble

__all__ = [
    "Activity",
    "Busy",
    "By",
    "Can",
    "Desk",
    "DeskState",
    "Line",
    "Refusal",
    "ScanState",
    "Trouble",
]
