"""Messages: their bytes are pinned, and what is no message is refused with its reason."""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wire import codec, words
from wire.messages import (
    Command,
    DeviceStatus,
    Frame,
    FrameResult,
    ModelAnnouncement,
    Quality,
    Receipt,
    Reply,
    SlideResult,
    SlideReview,
)

KINDS: dict[str, type[msgspec.Struct]] = {
    "frame_result": FrameResult,
    "receipt_stored": Receipt,
    "receipt_refused": Receipt,
    "status_online": DeviceStatus,
    "status_will": DeviceStatus,
    "command": Command,
    "command_signed": Command,
    "reply": Reply,
    "reply_refused": Reply,
    "slide_result": SlideResult,
    "slide_review": SlideReview,
    "model_live": ModelAnnouncement,
    "model_refused": ModelAnnouncement,
}
GOLDEN_NAMES = sorted(KINDS)


def plain(payload: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.msgpack.decode(payload)
    return fields


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_a_json_message_is_written_in_exactly_its_golden_bytes(
    name: str, golden: Path, json_messages: dict[str, msgspec.Struct]
) -> None:
    assert codec.encode(json_messages[name]) == (golden / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_a_golden_json_message_is_read_as_what_was_written(
    name: str, golden: Path, json_messages: dict[str, msgspec.Struct]
) -> None:
    payload = (golden / f"{name}.json").read_bytes()
    assert codec.decode(payload, KINDS[name]) == json_messages[name]


def test_every_golden_json_file_has_its_example(golden: Path) -> None:
    assert sorted(path.stem for path in golden.glob("*.json")) == GOLDEN_NAMES


def test_a_frame_is_written_in_exactly_its_golden_bytes(frame: Frame, golden: Path) -> None:
    assert codec.encode_frame(frame) == (golden / "frame.msgpack").read_bytes()


def test_the_golden_frame_is_read_with_its_image_whole(frame: Frame, golden: Path) -> None:
    read = codec.decode_frame((golden / "frame.msgpack").read_bytes())
    assert read == frame
    assert hashlib.sha256(read.image).hexdigest() == read.sha256
    field = cv2.imdecode(np.frombuffer(read.image, np.uint8), cv2.IMREAD_COLOR)
    assert field is not None
    assert field.shape == (read.height, read.width, 3)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_frame_is_read_from_any_kind_of_buffer(kind: type, frame: Frame) -> None:
    assert codec.decode_frame(kind(codec.encode_frame(frame))) == frame


def test_results_slides_and_models_say_research_use_only(
    json_messages: dict[str, msgspec.Struct],
) -> None:
    for name in ("frame_result", "slide_result", "model_live"):
        assert msgspec.to_builtins(json_messages[name])["notice"] == words.RESEARCH_USE_ONLY
    signed = msgspec.to_builtins(json_messages["slide_review"])["notice"]
    assert signed == words.SIGNED_NOTICE
    assert signed.startswith("Research use only")
    assert "not verified" not in signed
    assert "Suggested pre-classification" in words.RESEARCH_USE_ONLY


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_a_field_that_a_reader_does_not_know_is_ignored(
    name: str, golden: Path, json_messages: dict[str, msgspec.Struct]
) -> None:
    fields = msgspec.json.decode((golden / f"{name}.json").read_bytes())
    fields["of_a_later_minor_version"] = {"any": ["thing"]}
    assert codec.decode(msgspec.json.encode(fields), KINDS[name]) == json_messages[name]


def test_a_frame_with_a_field_that_a_reader_does_not_know_is_read(frame: Frame) -> None:
    fields = plain(codec.encode_frame(frame)) | {"stage": [1, 2]}
    assert codec.decode_frame(msgspec.msgpack.encode(fields)) == frame


@pytest.mark.parametrize("name", GOLDEN_NAMES)
def test_a_json_message_of_another_schema_is_refused_as_that(name: str, golden: Path) -> None:
    fields = msgspec.json.decode((golden / f"{name}.json").read_bytes()) | {"schema": 2}
    with pytest.raises(codec.MessageError) as caught:
        codec.decode(msgspec.json.encode(fields), KINDS[name])
    assert caught.value.reason == "schema-unknown"


@pytest.mark.parametrize("gone", [(), ("image", "sha256")])
def test_a_frame_of_another_schema_names_both_versions_and_its_capture(
    gone: tuple[str, ...], frame: Frame
) -> None:
    """Also where the later version has dropped fields that this one needs."""
    fields = plain(codec.encode_frame(frame)) | {"schema": 7}
    for name in gone:
        del fields[name]
    with pytest.raises(codec.MessageError, match=r"schema 7.*speaks 1.*same leukoscope") as caught:
        codec.decode_frame(msgspec.msgpack.encode(fields))
    assert caught.value.reason == "schema-unknown"
    assert caught.value.capture_id == frame.capture_id


@pytest.mark.parametrize(
    "name", ["capture_id", "site", "device", "slide", "captured_at", "width", "sha256", "image"]
)
def test_a_frame_without_a_field_it_needs_is_invalid_and_the_field_is_named(
    name: str, frame: Frame
) -> None:
    fields = plain(codec.encode_frame(frame))
    del fields[name]
    assert name in str(refusal(fields))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("capture_id", "0197c1f0-6b1a-4c3e-9f2d-3b5a8e4d1c20"),  # a UUID of version 4
        ("site", "lab/1"),
        ("device", "+"),
        ("slide", "Jane Doe"),
        ("slide", "frames"),
        ("slide", "S-4f2a91\n"),
        ("sha256", "7" * 63),
        ("sha256", "F" * 64),
        ("sha256", "7" * 64 + "\n"),
        ("width", 0),
        ("height", 65_536),
        ("width", "48"),
        ("image", b""),
        ("image", bytes(1024 * 1024 + 1)),
        ("captured_at", "2025-07-01T09:30:12"),
        ("cells", [[0, 0, 1, 1]] * 513),
        ("cells", [[0, 0, 0, 1]]),
        ("cells", [[-1, 0, 1, 1]]),
        ("cells", [[0, 0, 1]]),
        ("quality", {"focus": 1.0}),
    ],
)
def test_a_frame_with_a_field_out_of_bounds_is_invalid_and_the_field_is_named(
    name: str, value: object, frame: Frame
) -> None:
    assert name in str(refusal(plain(codec.encode_frame(frame)) | {name: value}))


@pytest.mark.parametrize("field", ["focus", "brightness", "clipped", "cast", "tissue"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_quality_that_json_could_not_carry_on_is_invalid(
    field: str, value: float, frame: Frame
) -> None:
    assert frame.quality is not None
    quality = msgspec.structs.replace(frame.quality, **{field: value})
    fields = plain(codec.encode_frame(frame)) | {"quality": msgspec.to_builtins(quality)}
    assert f"quality.{field}" in str(refusal(fields))


def refusal(fields: dict[str, Any]) -> codec.MessageError:
    """Return how a frame of these fields is refused; it must be as `message-invalid`."""
    with pytest.raises(codec.MessageError) as caught:
        codec.decode_frame(msgspec.msgpack.encode(fields))
    assert caught.value.reason == "message-invalid"
    return caught.value


def test_an_invalid_frame_names_its_capture_where_that_can_be_read(frame: Frame) -> None:
    fields = plain(codec.encode_frame(frame)) | {"width": 0}
    assert refusal(fields).capture_id == frame.capture_id


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", b"\x93\x01", b"\xff\xd8\xff\xe0 no frame at all"]
)
def test_bytes_that_are_no_messagepack_are_unreadable(payload: bytes) -> None:
    with pytest.raises(codec.MessageError) as caught:
        codec.decode_frame(payload)
    assert caught.value.reason in {"message-unreadable", "message-invalid"}
    assert caught.value.capture_id is None


def test_a_frame_cut_short_anywhere_is_unreadable(frame: Frame) -> None:
    payload = codec.encode_frame(frame)
    for length in range(0, len(payload), 7):
        with pytest.raises(codec.MessageError) as caught:
            codec.decode_frame(payload[:length])
        assert caught.value.reason == "message-unreadable"


@pytest.mark.parametrize("payload", [b"", b"{", b"frame", b"{'schema': 1}", b"{}{}"])
def test_bytes_that_are_no_json_are_unreadable(payload: bytes) -> None:
    with pytest.raises(codec.MessageError) as caught:
        codec.decode(payload, Receipt)
    assert caught.value.reason == "message-unreadable"


@given(st.one_of(st.binary(max_size=200), st.text(max_size=60).map(str.encode)))
@example(b"\x81\xaacapture_id\xa1\xff")  # text that is not UTF-8
@example(b"\x81\xa1x" + b"\x91" * 3000)  # nested deeper than anything may be
@example(b'{"correlation_id": "\xff", "command": "capture"}')
@example(b'{"x":' + b"[" * 3000)
def test_no_payload_whatever_raises_anything_but_a_message_error(payload: bytes) -> None:
    with pytest.raises(codec.MessageError):
        codec.decode_frame(payload)
    with pytest.raises(codec.MessageError):
        codec.decode(payload, Command)


@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
def test_a_frame_with_one_byte_changed_is_read_or_refused_and_never_crashes(
    position: int, value: int
) -> None:
    payload = bytearray(_SMALL)
    payload[position % len(payload)] = value
    reason = "none"
    try:
        codec.encode_frame(codec.decode_frame(payload))
    except codec.MessageError as error:
        reason = error.reason
    assert reason in {"none", "message-unreadable", "message-invalid", "schema-unknown"}


_SMALL = codec.encode_frame(
    msgspec.convert(
        {
            "capture_id": "0197c5a0-0000-7c3e-9f2d-3b5a8e4d1c20",
            "site": "lab-1",
            "device": "scope-3",
            "slide": "S-1",
            "captured_at": "2025-07-01T09:30:12Z",
            "width": 4,
            "height": 4,
            "sha256": "0" * 64,
            "image": "AAAA",
            "quality": msgspec.to_builtins(Quality(1.0, 0.5, 0.0, 0.0, 0.5)),
            "cells": [[0, 0, 2, 2]],
        },
        Frame,
    )
)
