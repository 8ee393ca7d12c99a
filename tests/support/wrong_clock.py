"""A wrong clock for the station in this process; the cloud's end keeps the right one."""

import sys
import time
from datetime import datetime, timedelta

import pytest

ROOMS = ("edge.", "uuid6")


def set_clock(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    """Have every module of the station that is loaded read a clock that is wrong by so much."""

    class Wrong(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    class WrongTime:
        def __getattr__(self, name):
            return getattr(time, name)

        def time(self):
            return time.time() + by.total_seconds()

        def time_ns(self):
            return time.time_ns() + int(by.total_seconds()) * 10**9

    wrong_time = WrongTime()
    for name, module in list(sys.modules.items()):
        if name.startswith(ROOMS):
            if getattr(module, "datetime", None) is datetime:
                monkeypatch.setattr(module, "datetime", Wrong)
            if getattr(module, "time", None) is time:
                monkeypatch.setattr(module, "time", wrong_time)
