"""Made-up results of fields, and a store in memory, for tests that are about slides."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from obstore.store import MemoryStore
from uuid6 import UUID

from cloud.reading import Reading, for_people
from cloud.stores import keys
from cloud.stores.objects import Objects
from wire.codec import encode
from wire.messages import Box, CellResult, FrameResult, FrameTimings, ModelRef

BEGIN = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
MODEL = ModelRef("acgan", "1.0.0", "a" * 64)


def capture_id(number: int) -> str:
    """A UUIDv7 of its own for every number."""
    return str(UUID(int=(1_767_600_000_000 + number << 80) | 7 << 76 | 2 << 62 | number))


def cell(label: str, probability: float = 0.9, place: int = 0) -> CellResult:
    """A cell suggested as this."""
    likely = "Normal" if label == "unidentified" else label
    others = round((1 - probability) / 2, 4)
    chances = dict.fromkeys(("ALL", "AML", "Normal"), others) | {likely: probability}
    return CellResult(Box(10 * place, 5, 40, 40), label, probability, chances, 0.8)


def field_result(
    number: int,
    labels: Sequence[str],
    *,
    site: str = "home",
    device: str = "scope-1",
    slide: str = "s1",
    **changes: object,
) -> FrameResult:
    """The result of a field with a cell for every label."""
    capture = capture_id(number)
    taken = BEGIN + timedelta(seconds=number)
    sha256 = f"{number:064x}"
    draw = random.Random(number)
    cells = [cell(label, round(draw.uniform(0.5, 1), 4), n) for n, label in enumerate(labels)]
    values = {
        "capture_id": capture,
        "site": site,
        "device": device,
        "slide": slide,
        "label": "Normal",
        "explanation": "made up",
        "counts": {name: labels.count(name) for name in ("ALL", "AML", "Normal", "unidentified")},
        "cells": cells,
        "model": MODEL,
        "captured_at": taken,
        "classified_at": taken + timedelta(seconds=2),
        "image_key": keys.frame(site, device, capture, sha256),
        "image_sha256": sha256,
        "width": 640,
        "height": 480,
        "quality": None,
        "finder": "test/1",
        "timings_ms": FrameTimings(1, 1, 1),
    }
    return FrameResult(**(values | changes))


def reading(result: FrameResult) -> Reading:
    """What the worker would store of it."""
    published = encode(result)
    return Reading(result, published, for_people(published), b"jpeg")


def memory() -> tuple[MemoryStore, Objects]:
    """A bucket in memory: obstore's own, with its conditional create and ordered listing."""
    store = MemoryStore()
    return store, Objects(store, 0.1, lambda _: None)
