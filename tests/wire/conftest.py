"""One example of every message; `tests/data/messages` holds the bytes of each."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from wire.command_key import signed
from wire.messages import (
    Box,
    CellResult,
    Command,
    DeviceStatus,
    Exposed,
    Frame,
    FrameResult,
    FrameTimings,
    ModelAnnouncement,
    ModelRef,
    Quality,
    Receipt,
    Reply,
    SlideResult,
    SlideReview,
)

GOLDEN = Path(__file__).resolve().parent.parent / "data" / "messages"
CAPTURE_ID = "0197c552-919a-7c3e-9f2d-3b5a8e4d1c20"
SLIDE = "s4f2a91c07be35d8e6012"
TAKEN = datetime(2025, 7, 1, 9, 30, 12, 250_000, tzinfo=UTC)
QUALITY = Quality(focus=182.5, brightness=0.75, clipped=0.002, cast=0.05, tissue=0.5)
FIELD_SHA256 = "85a33a0ef249e743a238655b88b76bd2b8545278ac480804d916f31f141d9c48"


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of golden payloads."""
    return GOLDEN


@pytest.fixture
def frame(golden: Path) -> Frame:
    """The frame whose bytes are pinned; its image is the tiny JPEG beside it."""
    return Frame(
        capture_id=CAPTURE_ID,
        site="lab-1",
        device="scope-3",
        slide=SLIDE,
        captured_at=TAKEN,
        width=48,
        height=32,
        sha256=FIELD_SHA256,
        image=(golden / "field.jpg").read_bytes(),
        camera="simulator:7",
        quality=QUALITY,
        finder="example/1",
        cells=[Box(12, 6, 20, 19)],
        exposed=Exposed(exposure_us=8000.0, analogue_gain=1.5, colour_gain_red=2.0),
    )


@pytest.fixture
def json_messages() -> dict[str, msgspec.Struct]:
    """Example of every JSON message by the name of its golden file."""
    return {
        "frame_result": _frame_result(),
        "receipt_stored": Receipt(
            capture_id=CAPTURE_ID,
            outcome="stored",
            key=f"results/lab-1/scope-3/{CAPTURE_ID}.json",
            at=TAKEN + timedelta(seconds=2),
        ),
        "receipt_refused": Receipt(
            capture_id=None,
            payload_sha256="8" * 64,
            outcome="refused",
            reason="message-unreadable",
            detail="not a Frame: the payload of 12 bytes is cut short or another format",
            key=f"dead-letters/lab-1/scope-3/{'8' * 64}.json",
            at=TAKEN + timedelta(seconds=2),
        ),
        "status_online": DeviceStatus(
            site="lab-1",
            device="scope-3",
            state="online",
            at=TAKEN,
            version="0.1.0",
            camera="simulator:7",
            spool_waiting=3,
            disk_free_mb=20_480,
        ),
        "status_will": DeviceStatus(site="lab-1", device="scope-3", state="lost"),
        "command": Command(
            correlation_id="c-17",
            command="capture",
            arguments={"slide": SLIDE},
            at=TAKEN + timedelta(seconds=8),
        ),
        "command_signed": signed(
            Command(
                correlation_id="c-18",
                command="set-camera",
                arguments={"exposure_us": 8000, "gain": 1.5},
                at=TAKEN + timedelta(seconds=10),
            ),
            "lab-1",
            "scope-3",
            b"an example of 32 bytes, no secret",
        ),
        "reply": Reply(
            correlation_id="c-17",
            ok=True,
            result={"capture_id": CAPTURE_ID, "slide": SLIDE, "cells": 1},
            at=TAKEN + timedelta(seconds=9),
        ),
        "reply_refused": Reply(
            correlation_id="c-18",
            ok=False,
            reason="command-not-allowed",
            detail="This station does not take set-camera from afar. Its setting "
            "allow_commands lists what it takes.",
            at=TAKEN + timedelta(seconds=11),
        ),
        "slide_result": SlideResult(
            site="lab-1",
            slide=SLIDE,
            fields=12,
            cells=40,
            counts={"ALL": 5, "AML": 0, "Normal": 15, "unidentified": 20},
            blasts_per_100=25.0,
            blasts_interval=(8.657, 49.105),
            updated_at=TAKEN + timedelta(minutes=1),
        ),
        "slide_review": SlideReview(
            site="lab-1",
            slide=SLIDE,
            state="amended",
            number=9,
            entry_sha256="c" * 64,
            reader="reader-1",
            reason="two cells of the last field named anew",
            at=TAKEN + timedelta(hours=2),
            fields=12,
            counts={"ALL": 7, "AML": 0, "Normal": 32, "unidentified": 0},
            excluded=1,
            machine_counts={"ALL": 5, "AML": 0, "Normal": 15, "unidentified": 20},
            blasts_per_100=17.949,
            blasts_interval=(7.535, 33.535),
            models=["a" * 64],
        ),
        "model_live": ModelAnnouncement(
            worker="worker-1",
            outcome="live",
            name="example",
            version="1.0.0",
            sha256="a" * 64,
            live=ModelRef(name="example", version="1.0.0", sha256="a" * 64),
            at=TAKEN,
        ),
        "model_refused": ModelAnnouncement(
            worker="worker-1",
            outcome="refused",
            name="example",
            version="1.1.0",
            sha256="b" * 64,
            reason="models/example/1.1.0 lacks classifier.onnx: fetch or export the bundle again",
            live=ModelRef(name="example", version="1.0.0", sha256="a" * 64),
            at=TAKEN + timedelta(hours=1),
        ),
    }


def _frame_result() -> FrameResult:
    return FrameResult(
        capture_id=CAPTURE_ID,
        site="lab-1",
        device="scope-3",
        slide=SLIDE,
        label="ALL",
        explanation="1 of 1 identified white cell is suggested ALL.",
        counts={"ALL": 1, "AML": 0, "Normal": 0, "unidentified": 0},
        cells=[
            CellResult(
                box=Box(12, 6, 20, 19),
                label="ALL",
                probability=0.875,
                probabilities={"ALL": 0.875, "AML": 0.0625, "Normal": 0.0625},
                real=0.75,
            )
        ],
        model=ModelRef(name="example", version="1.0.0", sha256="a" * 64),
        captured_at=TAKEN,
        classified_at=TAKEN + timedelta(seconds=1),
        image_key=f"frames/lab-1/scope-3/{CAPTURE_ID}.{FIELD_SHA256[:8]}.jpg",
        image_sha256=FIELD_SHA256,
        width=48,
        height=32,
        quality=QUALITY,
        finder="example/1",
        timings_ms=FrameTimings(decode=2.5, find=8.25, classify=1.5),
    )
