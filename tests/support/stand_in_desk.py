"""A desk whose state a test sets by hand, for states that are hard to bring about.

`python tests/support/stand_in_desk.py 8731` serves the page on it, for work on the templates.
"""

import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np

from edge.desk import Can, Desk, DeskState, Line, Refusal, ScanState, Trouble
from edge.identity import new_capture_id, slide_token
from edge.quality.trend import Trend
from edge.refusal import CaptureRefused

KEY = b"k" * 32
QUALITY = {"focus": 0.62, "brightness": 0.71, "clipped": 0.001, "cast": 2.1, "tissue": 0.4}
CALM = DeskState(
    version=1, slide=None, slide_since=None, activity="idle", lines=(), waiting=0, refused=0,
    disk_free_mb=12_345, broker=True, broker_problem="", clock_problem="", certificate_problem="",
    camera_problem="", calibration_problem="", troubles=(), refusal=None, scan=None, can=Can(),
)  # fmt: skip


def line(slide="s0123456789abcdef0123", **fields):
    """A capture that is saved."""
    given = {"saved": True, "cells": 4, "quality": QUALITY} | fields
    return Line(new_capture_id(), slide, datetime.now(UTC), "page", **given)


class StandInDesk(Desk):
    """Does what it is told at once, and notes what was asked of it in `asked`."""

    trend = calibration = None  # plain attributes, where the desk has properties

    def __init__(self, state=CALM, data_dir=None):
        self._state = CALM
        self._news = threading.Condition()
        self._folder = data_dir or Path(tempfile.mkdtemp())
        self.trend = Trend(self._folder / "trend.db")
        self.begin(state)

    def begin(self, state):
        """As if nothing had been asked of it yet; the versions go on."""
        self.asked = []
        self.pictures = 0
        self.refuses = None
        self.takes_s = 0.0
        with self._news:
            self._state = replace(state, version=self._state.version + 1)
            self._news.notify_all()

    def become(self, **changes):
        with self._news:
            self._state = replace(self._state, version=self._state.version + 1, **changes)
            self._news.notify_all()

    def _do(self, *asked):
        self.asked.append(asked)
        time.sleep(self.takes_s)
        if self.refuses:
            raise self.refuses

    def start_slide(self, accession, by):
        if not accession.strip():
            raise CaptureRefused("slide-invalid", "The number is empty.", "Scan or type it.")
        self._do("start_slide", by)
        token = slide_token(accession, KEY)
        self.become(slide=token, slide_since=datetime.now(UTC))
        return token

    def start_barcode(self, by):
        self._do("start_barcode", by)
        return self.start_slide("B-1", by)

    def end_slide(self, by):
        self._do("end_slide", by)
        self.become(slide=None, slide_since=None)

    def capture(self, by, *, count=None):
        self._do("capture", by, count)
        if self._state.slide is None:
            raise CaptureRefused("no-slide", "No slide is open.", "Scan or type its number first.")
        taken = line(self._state.slide)
        self.become(lines=(taken, *self._state.lines)[:50], waiting=self._state.waiting + 1)
        return taken

    def autofocus(self, by):
        self._do("autofocus", by)

    def start_scan(self, by, target_cells, *, resume=True):
        self._do("start_scan", by, target_cells, resume)
        self.become(scan=ScanState(True, target_cells, 0, 0, 100), activity="scanning")

    def stop_scan(self, by):
        self._do("stop_scan", by)
        self.become(activity="idle")

    def calibrate(self, by, *, to_glass=False):
        self._do("calibrate", by)

    def preview(self):
        if self._state.camera_problem:
            raise CaptureRefused("camera-failed", self._state.camera_problem, "Check its cable.")
        self.pictures += 1
        image = np.full((480, 640, 3), (238, 232, 240), np.uint8)
        x = 40 + 11 * self.pictures % 560
        cv2.circle(image, (x, 240), 34, (150, 90, 170), -1)
        return image

    def snapshot(self):
        bgr = cv2.cvtColor(self.preview(), cv2.COLOR_RGB2BGR)
        return cv2.imencode(".jpg", bgr)[1].tobytes()

    def look(self):
        from imaging.quality import measure

        return measure(self.preview())

    def frame(self, capture_id):
        known = any(one.capture_id == capture_id for one in self._state.lines)
        return self.snapshot() if known else None

    @property
    def state(self):
        return self._state

    def wait(self, seen_version, timeout_s):
        with self._news:
            self._news.wait_for(lambda: self._state.version > seen_version, timeout_s)
            return self._state

    @property
    def data_dir(self):
        return self._folder


def eventful():
    """A desk on which something of everything is to be seen."""
    slide = slide_token("A-1", KEY)
    lines = (
        line(slide, sent=True),
        line(
            slide, sent=True, stored=True, suggestion="ALL",
            counts={"ALL": 3, "Normal": 1, "AML": 0, "unidentified": 1},
        ),
        line(
            slide, saved=False, cells=0, reason="out-of-focus",
            refused="The cells' edges are soft. Turn the fine focus.",
        ),
    )  # fmt: skip
    trouble = Trouble("broker-away", "The broker does not answer.", "Check the network cable.")
    return StandInDesk(
        replace(
            CALM, slide=slide, slide_since=datetime.now(UTC), lines=lines, waiting=2, refused=1,
            broker=False, broker_problem="The broker does not answer.", troubles=(trouble,),
            refusal=Refusal("station-busy", "Busy.", "Wait.", datetime.now(UTC), "button"),
            scan=ScanState(False, 100, 42, 12, 400, counts={"ALL": 30, "Normal": 12}),
            can=Can(stage=True, gpio=True),
        )
    )  # fmt: skip


def days(trend, count=12):
    """Notes a lamp that dims slowly."""
    from imaging.quality import Quality

    for day in range(count):
        for capture in range(4):
            quality = Quality(0.6 + 0.01 * capture, 0.8 - 0.01 * day, 0.001, 2.0, 0.4)
            trend.note(datetime.now(UTC) - timedelta(days=count - day), quality)


def main(port):
    import uvicorn

    from wire.logs import configure

    configure(json=False)

    from edge.page.app import app_of
    from edge.page.page import open_page
    from edge.settings import EdgeSettings

    desk = eventful()
    days(desk.trend)
    settings = EdgeSettings(
        site="home", device="scope-1", data_dir=desk.data_dir, page={"port": port}
    )
    page = open_page(desk, settings, fresh=True)
    uvicorn.run(app_of(page), port=port, log_level="warning", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(int(sys.argv[1]))
