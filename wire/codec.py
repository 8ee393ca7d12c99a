"""Writes and reads messages, and says clearly why one cannot be read."""

from typing import Protocol, TypeAlias, TypeVar

import msgspec

from wire.limits import SCHEMA
from wire.messages import CaptureId, Frame

Message = TypeVar("Message", bound=msgspec.Struct)
_Any = TypeVar("_Any")
_Payload: TypeAlias = bytes | bytearray | memoryview

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
    capture_id: CaptureId | None = None


def encode_frame(frame: Frame) -> bytes:
    """Encode a frame as MessagePack."""
    return _pack.encode(frame)


def encode(message: msgspec.Struct) -> bytes:
    """Encode any message but a frame as JSON (UTF-8)."""
    return _json.encode(message)


def decode_frame(payload: _Payload) -> Frame:
    """Decode a frame.

    Raises:
        MessageError: see its reasons.
    """
    return _decode(payload, Frame, msgspec.msgpack.decode)


def decode(payload: _Payload, kind: type[Message]) -> Message:
    """Decode a JSON message of the given kind.

    Raises:
        MessageError: see its reasons.
    """
    return _decode(payload, kind, msgspec.json.decode)


class _Read(Protocol):
    """`msgspec.msgpack.decode` or `msgspec.json.decode`."""

    def __call__(self, buf: _Payload, /, *, type: type[_Any]) -> _Any: ...  # noqa: A002  # msgspec's own name


def _decode(payload: _Payload, kind: type[Message], read: _Read) -> Message:
    try:
        message = read(payload, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _explained(payload, kind, read, error) from error
    schema = getattr(message, "schema", SCHEMA)
    if schema != SCHEMA:
        raise _schema_unknown(kind, schema, getattr(message, "capture_id", None))
    return message


def _explained(
    payload: _Payload, kind: type[msgspec.Struct], read: _Read, error: Exception
) -> MessageError:
    """Say whether the payload is another version's, a damaged one, or no message at all."""
    name = kind.__name__
    try:
        envelope = read(payload, type=_Envelope)
    except msgspec.ValidationError:
        return MessageError("message-invalid", f"not a valid {name}: {error}")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return MessageError(
            "message-unreadable",
            f"not a {name}: the payload of {len(payload)} bytes is cut short or another format "
            f"({error})",
        )
    if envelope.schema is not None and envelope.schema != SCHEMA:
        return _schema_unknown(kind, envelope.schema, envelope.capture_id)
    return MessageError("message-invalid", f"not a valid {name}: {error}", envelope.capture_id)


def _schema_unknown(
    kind: type[msgspec.Struct], schema: object, capture_id: str | None
) -> MessageError:
    return MessageError(
        "schema-unknown",
        f"{kind.__name__} has schema {schema}, this program speaks {SCHEMA}: "
        "bring sender and reader to the same leukoscope version",
        capture_id,
    )
