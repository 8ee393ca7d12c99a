"""The station's own machine: disk and clock."""

import ctypes
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

from edge.clock import ClockCheck
from edge.doctor.finding import Finding, ok, warning, wrong
from edge.settings import EdgeSettings

_MB: Final = 2**20
_UNSYNCHRONISED_US: Final = 16_000_000
"""The kernel lets its estimate of the error grow; from 16 s on, nobody has set the clock of late
(systemd's timedatectl draws the line there, too)."""


def disk(settings: EdgeSettings) -> Finding:
    """Whether the spool's disk can be written, and how many captures still fit."""
    folder = _there(settings.data_dir)
    if not os.access(folder, os.W_OK | os.X_OK):
        return wrong(
            "disk",
            f"{folder} cannot be written by this user",
            f"Give it to the agent (chown), or run the doctor as the agent's user: "
            f"the settings name {settings.data_dir}.",
        )
    free = shutil.disk_usage(folder).free
    captures = max(0, free - settings.min_free_mb * _MB) // settings.image_budget_bytes
    found = f"{free // _MB} MB free at {folder}: room for about {captures} captures"
    if not captures:
        remedy = "Free the disk, or bring the station online so that the spool empties."
        return wrong("disk", found, remedy)
    if captures < 1000:
        return warning("disk", found, "Free the disk soon.")
    return ok("disk", found)


def clock(_: EdgeSettings, max_error_us: Callable[[], int | None] | None = None) -> Finding:
    """Whether the clock says a year that can be, and whether somebody sets it."""
    trouble = ClockCheck().trouble()
    if trouble is not None:
        return wrong("clock", trouble.sentence, trouble.remedy)
    error_us = (max_error_us or kernel_error_us)()
    if error_us is None:
        return warning("clock", "the kernel does not say whether it is set", _LOOK)
    if error_us >= _UNSYNCHRONISED_US:
        return warning(
            "clock",
            "plausible, but no time server sets it",
            "A Raspberry Pi has no battery for its clock (a Pi 5 takes one). Let it reach a time "
            "server: timedatectl set-ntp true, and NTP= in /etc/systemd/timesyncd.conf where the "
            "internet is out of reach.",
        )
    return ok("clock", f"set by a time server, right within {max(1, error_us // 1000)} ms")


_LOOK: Final = "See what timedatectl says."


def kernel_error_us() -> int | None:
    """The kernel's own bound on the clock's error, in µs (adjtimex(2)); None when it says none."""
    state = ctypes.create_string_buffer(208)  # struct timex of 64-bit Linux; modes 0 only reads
    try:
        answer = ctypes.CDLL(None, use_errno=True).adjtimex(state)
    except (OSError, AttributeError):  # no Linux
        return None
    if answer < 0:
        return None
    return int(struct.unpack_from("q", state, 24)[0])  # after modes, offset and freq


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there already."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder
