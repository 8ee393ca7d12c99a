"""What correcting a picture and reading a barcode take: `python tests/bench/calibration.py`.

Times are CPU time of one thread, which is wall time on an idle core; the median of several runs.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import thread_time

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from barcodes import barcode, on_field
from glass import WARM, glass, shots

from edge.barcode import holds_code, texts
from edge.calibration import Correction
from edge.calibration.correction import _added
from edge.calibration.drift import background, warning
from edge.calibration.make import from_empty_field
from edge.calibration.surface import evaluate
from edge.cameras.simulator import SimulatorCamera
from edge.cameras.small import shrunk
from edge.quality.trend import Trend
from imaging.quality import measure
from imaging.simulator import Optics, Smear
from imaging.types import Image

FULL = (2592, 1944)
PREVIEW = (640, 480)
LAMP = Optics(vignetting=0.2, tilt=(0.06, -0.04), dust=0)


def ms(work: Callable[[], object], runs: int = 15) -> float:
    """Median milliseconds of CPU, after one run that is not counted."""
    work()
    times = []
    for _ in range(runs):
        began = thread_time()
        work()
        times.append(1000 * (thread_time() - began))
    return median(times)


def naive(image: Image, gain: np.ndarray) -> Image:
    """The formula as one writes it first."""
    return np.clip(image.astype(np.float32) * gain + 0.5, 0, 255).astype(np.uint8)


def applying(correction: Correction) -> None:
    """Time of a correction by size, and its distance from the formula."""
    print("\napplying                         naive ms     ours ms   times   largest difference")
    for width, height in (FULL, (1280, 960), PREVIEW):
        image = glass(LAMP, WARM, (width, height), 99)
        light = np.stack([evaluate(c, height, width) for c in correction.field], axis=-1)
        gain = np.float32(correction.level) / light
        slow, quick = ms(lambda: naive(image, gain)), ms(lambda: correction.apply(image))  # noqa: B023  # called at once
        apart = np.abs(naive(image, gain).astype(int) - correction.apply(image)).max()
        print(f"{width}×{height:<26}{slow:9.1f}{quick:12.1f}{slow / quick:8.1f}{apart:12} level")

    def first() -> None:
        _added.cache_clear()
        correction.apply(image)

    image = glass(LAMP, WARM, FULL, 99)
    print(f"first picture of a size, {FULL[0]}×{FULL[1]}: {ms(first, 5):.0f} ms")


def correcting() -> None:
    """Background before and after, over the simulator's drifts of lamp, tilt and stain."""
    camera, smear = SimulatorCamera(7, "ALL"), Smear(7, "ALL", WARM)
    lamp = replace(LAMP, dust=1)
    correction = from_empty_field(shots(lamp, WARM, (1280, 960), 8))
    rows = []
    alarms = 0
    for frame in range(1, 301, 6):
        state = camera._optics(frame)
        tilt = (lamp.tilt[0] + state.tilt[0] - 0.015, lamp.tilt[1] + state.tilt[1] + 0.01)
        optics = replace(state, tilt=tilt, vignetting=lamp.vignetting)
        image = smear.field(100 + 40 * frame, 100, 1280, 960, optics).image
        after = correction.apply(image)
        rows.append((background(image), background(after)))
        alarms += bool(warning(correction, after, datetime.now(UTC)))
    print("\nbackground of 50 fields while lamp, tilt and stain drift: median (worst)")
    for name in ("cast", "unevenness", "brightness"):
        ends = []
        for values in zip(*rows, strict=True):
            all_values = [getattr(value, name) for value in values]
            far = min(all_values) if name == "brightness" else max(all_values)
            ends.append(f"{median(all_values):7.2f} ({far:.2f})")
        print(f"  {name:14} before {ends[0]:20} after {ends[1]}")
    print(f"  false alarms of drift: {alarms} of {len(rows)}")


def making() -> None:
    """Time of calibration, of looking for drift, and of noting a capture."""
    pictures = shots(LAMP, WARM, FULL, 8)
    print(f"\ncalibrating from 8 pictures {FULL[0]}×{FULL[1]}: ", end="")
    print(f"{ms(lambda: from_empty_field(pictures), 3):.0f} ms")
    correction, image = from_empty_field(pictures), glass(LAMP, WARM, FULL)
    seen = ms(lambda: warning(correction, image, datetime.now(UTC)))
    print(f"looking for drift in {FULL[0]}×{FULL[1]}: {seen:.1f} ms")
    with TemporaryDirectory() as folder:
        trend = Trend(Path(folder) / "trend.db")
        quality = measure(image)
        print(f"noting a capture: {ms(lambda: trend.note(datetime.now(UTC), quality), 200):.2f} ms")
        trend.close()


def reading() -> None:
    """Time of a barcode, by what is in view."""
    print(f"\nbarcode in a preview of {PREVIEW[0]}×{PREVIEW[1]}          ms     read")
    field = shrunk(Smear(3, "ALL").field(100, 100).image)
    finder = np.full((9, 9), 255, np.uint8)
    finder[1:8, 1:8], finder[2:7, 2:7], finder[3:6, 3:6] = 0, 255, 0
    noise = np.random.default_rng(1).integers(0, 256, (480, 640, 3), np.uint8)
    views = {
        "cells": field,
        "bare glass": glass(size=PREVIEW),
        **{kind: on_field(field, barcode("24-001234", kind), 7, 1.0)
           for kind in ("Code128", "DataMatrix", "QRCode")},
        "noise": noise,
        "a wall of QR corners": np.tile(finder[..., None], (54, 72, 3))[:480, :640],
    }  # fmt: skip
    for name, view in views.items():
        image = np.asarray(view, np.uint8)
        print(f"  {name:34}{ms(lambda: texts(image)):6.1f}     {', '.join(texts(image)) or '-'}")  # noqa: B023  # called at once


def labels() -> None:
    """Time of looking through a capture for a label."""
    print("\nlooked through for a label                    ms     found")
    for size in ((1280, 960), FULL):
        field = np.asarray(
            cv2.resize(Smear(3, "ALL").field(100, 100, 1280, 960).image, size), np.uint8
        )
        noise = np.random.default_rng(1).integers(0, 256, field.shape, np.uint8)
        views = {"cells": field, "a code": on_field(field, barcode("24-001234", "QRCode", 4))}
        for name, image in (views | {"noise": noise}).items():
            title = f"{name}, {size[0]}×{size[1]}"
            print(f"  {title:40}{ms(lambda: holds_code(image)):6.1f}     {holds_code(image)}")  # noqa: B023  # called at once


def main() -> None:
    """Print all tables."""
    cv2.setNumThreads(1)
    applying(from_empty_field(shots(LAMP, WARM, FULL, 8)))
    correcting()
    making()
    reading()
    labels()


if __name__ == "__main__":
    main()
