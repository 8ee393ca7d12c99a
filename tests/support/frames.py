"""Small real frames for tests that are about something else than pixels."""

import hashlib
from datetime import UTC, datetime

import cv2
import numpy as np
from uuid6 import uuid7

from wire.messages import Box, Frame


def jpeg(seed: int = 0, width: int = 160, height: int = 120) -> bytes:
    """A JPEG of one violet disc on pink, different for every seed."""
    image = np.full((height, width, 3), (225, 200, 210), np.uint8)
    rng = np.random.default_rng(seed)
    image = np.clip(image + rng.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    cv2.circle(image, (width // 2, height // 2), 22, (110, 60, 150), -1)
    ok, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert ok
    return bytes(data)


def frame(
    seed: int = 0, *, site: str = "home", device: str = "scope-1", **changes: object
) -> Frame:
    """A frame with one cell, fit to be sent."""
    image = jpeg(seed)
    values: dict[str, object] = {
        "capture_id": str(uuid7()),
        "site": site,
        "device": device,
        "slide": "s0123456789",
        "captured_at": datetime.now(UTC),
        "width": 160,
        "height": 120,
        "sha256": hashlib.sha256(image).hexdigest(),
        "image": image,
        "camera": "test",
        "finder": "test/1",
        "cells": [Box(55, 35, 50, 50)],
    }
    return Frame(**(values | changes))  # type: ignore[arg-type]  # the names are Frame's own
