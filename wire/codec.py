"""Writes and reads messages, and says clearly why one cannot be read."""

from typing import TypeVar

import msgspec

from wire.limits import SCHEMA
from wire.messages import Frame

Message = TypeVar("Message", bound=msgspec.Struct)

_pack = msgspec.msgpack.Encoder()
_json = msgspec.json.Encoder()


class MessageError(ValueError):
    """A payload that is not the message it should be.

    Attributes:
        reason: `message-unreadable` (not MessagePack or JSON), `schema-unknown` (a version this
            program does not speak) or `message-invalid` (a field is missing or out of bounds).
        capture_id: the capture it names, where that much could be read.
    """

    def __init__(self, reason: str, sentence: str, capture_id: str | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.capture_id = capture_id


class _Envelope(msgspec.Struct):
    """The little that is read of a message before its version is known."""

    schema: int | None = None
    capture_id: str | None = None


def encode_frame(frame: Frame) -> bytes:
    """Encode a frame as MessagePack."""
    return _pack.encode(frame)


def encode(message: msgspec.Struct) -> bytes:
    """Encode any message but a frame as JSON (UTF-8)."""
    return _json.encode(message)


def decode_frame(payload: bytes | bytearray | memoryview) -> Frame:
    """Decode a frame.

    Raises:
        MessageError: see its reasons.
    """
    return _decode(payload, Frame, msgspec.msgpack.decode)


def decode(payload: bytes | bytearray | memoryview, kind: type[Message]) -> Message:
    """Decode a JSON message of the given kind.

    Raises:
        MessageError: see its reasons.
    """
    return _decode(payload, kind, msgspec.json.decode)


def _decode(payload: object, kind: type[Message], read: object) -> Message:
    raise NotImplementedError
