"""From the desk's state to the light: what it shows, and what happened since it last looked."""

from typing import Final

from edge.desk.state import DeskState
from edge.panel import patterns
from edge.panel.patterns import Pattern

_NUMBER_IS_MISSING: Final = frozenset({"no-slide", "no-barcode"})
"""Codes of refusals that the next slide's number puts right."""


def lasting(state: DeskState) -> Pattern:
    """What the light says as long as this state lasts."""
    if state.activity != "idle":
        return patterns.WORKING
    if state.troubles:
        return patterns.TROUBLE_OPEN if state.slide else patterns.TROUBLE
    return patterns.READY if state.slide else patterns.NO_SLIDE


def events(before: DeskState, after: DeskState) -> list[Pattern]:
    """What the light tells once: each kind at most once, though ten captures were sent together."""
    told = []
    if _saved(after) - _saved(before):
        told.append(patterns.SAVED)
    if after.refusal is not None and after.refusal != before.refusal:
        missing = after.refusal.code in _NUMBER_IS_MISSING
        told.append(patterns.SCAN_NUMBER if missing else patterns.REFUSED)
    if _sent(after) - _sent(before):
        told.append(patterns.SENT)
    return told


def _saved(state: DeskState) -> set[str]:
    return {line.capture_id for line in state.lines if line.saved}


def _sent(state: DeskState) -> set[str]:
    return {line.capture_id for line in state.lines if line.sent}
