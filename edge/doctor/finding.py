"""What one check has found."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Its sentences are for this machine's screen: they may name files, and hold nothing of a patient.
    """

    check: str
    """What was looked at, such as `camera`."""
    state: State
    """`warning`: works, but not as it should, or could not be looked at."""
    found: str
    remedy: str = ""
    """What to do; empty when it is well."""


def ok(check: str, found: str) -> Finding:
    """It is well."""
    return Finding(check, "ok", found)


def warning(check: str, found: str, remedy: str) -> Finding:
    """It works, but."""
    return Finding(check, "warning", found, remedy)


def wrong(check: str, found: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, "wrong", found, remedy)
