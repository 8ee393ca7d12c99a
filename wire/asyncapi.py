"""Writes the AsyncAPI document of all topics and messages, out of the topics and messages.

A tool for developers, in a checkout with the `dev` extra:

    python -m wire.asyncapi > docs/asyncapi.yaml
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from wire import topics
from wire.connection import QOS
from wire.limits import MAX_IMAGE_BYTES, SCHEMA
from wire.messages import (
    Command,
    DeviceStatus,
    Frame,
    FrameResult,
    ModelAnnouncement,
    Receipt,
    Reply,
    SlideResult,
    SlideReview,
)
from wire.words import RESEARCH_USE_ONLY

Json: TypeAlias = Any
"""What JSON can hold."""

EXAMPLES: Final = Path(__file__).resolve().parent.parent / "tests" / "data" / "messages"


class Channel(NamedTuple):
    """One topic: who sends what to whom."""

    name: str
    topic: str
    message: type[msgspec.Struct]
    sender: str
    receiver: str
    retain: bool = False
    examples: tuple[str, ...] = ()
    """Names of golden payloads."""
    correlation: str = ""
    note: str = ""


CHANNELS: Final = (
    Channel(
        "frames",
        topics.device("site", "device", "frames"),
        Frame,
        "device",
        "cloud",
        correlation="capture_id",
    ),
    Channel(
        "receipts",
        topics.device("site", "device", "receipts"),
        Receipt,
        "cloud",
        "device",
        examples=("receipt_stored", "receipt_refused"),
        correlation="capture_id",
    ),
    Channel(
        "status",
        topics.device("site", "device", "status"),
        DeviceStatus,
        "device",
        "cloud",
        retain=True,
        examples=("status_online", "status_will"),
        note="Also the device's last will.",
    ),
    Channel(
        "commands",
        topics.device("site", "device", "commands"),
        Command,
        "cloud",
        "device",
        examples=("command", "command_signed"),
        correlation="correlation_id",
    ),
    Channel(
        "replies",
        topics.device("site", "device", "replies"),
        Reply,
        "device",
        "cloud",
        examples=("reply", "reply_refused"),
        correlation="correlation_id",
    ),
    Channel(
        "results",
        topics.results("site", "device"),
        FrameResult,
        "cloud",
        "reader",
        examples=("frame_result",),
        correlation="capture_id",
        note="May come more than once for one capture; the last one stands.",
    ),
    Channel(
        "slides",
        topics.slides("site", "slide"),
        SlideResult,
        "cloud",
        "reader",
        retain=True,
        examples=("slide_result",),
        note="Of several workers each says the same.",
    ),
    Channel(
        "reviews",
        topics.reviews("site", "slide"),
        SlideReview,
        "cloud",
        "reader",
        examples=("slide_review",),
        note="Not retained: the slide's topic is.",
    ),
    Channel(
        "models",
        topics.models("site"),
        ModelAnnouncement,
        "cloud",
        "reader",
        retain=True,
        examples=("model_live", "model_refused"),
        note="Of several workers the last one's word is retained.",
    ),
)

_PARAMETERS: Final = {
    "site": "The laboratory.",
    "device": "The microscope station; the common name of its client certificate.",
    "slide": "A token for one slide. Never a name, an accession or a record number.",
}


def document(examples: Path = EXAMPLES) -> dict[str, Json]:
    """Return the AsyncAPI 3.0.0 document.

    Args:
        examples: folder of golden payloads, `NAME.json` each.
    """
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "leukoscope",
            "version": str(SCHEMA),
            "description": _introduction(),
            "license": {
                "name": "Apache-2.0",
                "url": "https://www.apache.org/licenses/LICENSE-2.0",
            },
        },
        "defaultContentType": "application/json",
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": dict(_operations(CHANNELS)),
        "components": {
            "messages": {c.message.__name__: _message(c, examples) for c in CHANNELS},
            "schemas": _schemas(CHANNELS),
        },
    }


def _introduction() -> str:
    return (
        f"{RESEARCH_USE_ONLY}\n\n"
        "All meaning is in the payload, so MQTT 5 and 3.1.1 carry the same. Every message has a "
        f"`schema`; this document describes schema {SCHEMA}. Readers ignore fields that they do "
        "not know and refuse a schema that they do not know."
    )


def _channel(channel: Channel) -> dict[str, Json]:
    name = channel.message.__name__
    levels = channel.topic.split("/")
    parameters = [level for level in levels if level in _PARAMETERS]
    return {
        "address": "/".join(f"{{{x}}}" if x in _PARAMETERS else x for x in levels),
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "parameters": {
            parameter: {
                "description": _PARAMETERS[parameter],
                "location": f"$message.payload#/{parameter}",
            }
            if parameter in channel.message.__struct_fields__
            else {"description": _PARAMETERS[parameter]}
            for parameter in parameters
        },
    }


def _operations(channels: Sequence[Channel]) -> list[tuple[str, dict[str, Json]]]:
    return [
        (f"{who}{verb}{channel.message.__name__}", _operation(channel, action))
        for channel in channels
        for who, verb, action in (
            (channel.sender, "Sends", "send"),
            (channel.receiver, "Receives", "receive"),
        )
    ]


def _operation(channel: Channel, action: str) -> dict[str, Json]:
    binding: dict[str, Json] = {"qos": QOS}
    if action == "send":
        binding["retain"] = channel.retain
    operation: dict[str, Json] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel.name}"},
        "messages": [_message_of(channel)],
        "bindings": {"mqtt": binding | {"bindingVersion": "0.2.0"}},
    }
    if channel.message is Command:
        replies = next(c for c in CHANNELS if c.message is Reply)
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{replies.name}"},
            "messages": [_message_of(replies)],
        }
    return operation


def _message_of(channel: Channel) -> dict[str, str]:
    return {"$ref": f"#/channels/{channel.name}/messages/{channel.message.__name__}"}


def _message(channel: Channel, examples: Path) -> dict[str, Json]:
    name = channel.message.__name__
    message: dict[str, Json] = {
        "name": name,
        "summary": _summary(channel),
        "contentType": "application/msgpack" if channel.message is Frame else "application/json",
        "payload": {"$ref": f"#/components/schemas/{name}"},
    }
    if channel.correlation:
        message["correlationId"] = {"location": f"$message.payload#/{channel.correlation}"}
    if channel.examples:
        message["examples"] = [_example(examples, example) for example in channel.examples]
    return message


def _summary(channel: Channel) -> str:
    first = (channel.message.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    return f"{first} {channel.note}".strip()


def _example(folder: Path, name: str) -> dict[str, Json]:
    return {"name": name, "payload": json.loads((folder / f"{name}.json").read_bytes())}


def _schemas(channels: Sequence[Channel]) -> dict[str, Json]:
    _, components = msgspec.json.schema_components(
        [channel.message for channel in channels], ref_template="#/components/schemas/{name}"
    )
    schemas: dict[str, Json] = _draft_07(components)
    frame = schemas[Frame.__name__]["properties"]
    frame["image"] = {
        "type": "string",
        "contentMediaType": "image/jpeg",
        "description": f"MessagePack bin (raw bytes, not base64), 1 to {MAX_IMAGE_BYTES} bytes",
    }
    frame["captured_at"]["description"] = "MessagePack timestamp (extension −1), or RFC 3339 text"
    return dict(sorted(schemas.items()))


def _draft_07(schema: Json) -> Json:
    """Say `prefixItems` (JSON Schema 2020-12) as draft 07, which AsyncAPI 3.0.0 speaks, says it."""
    if isinstance(schema, Mapping):
        plain = {key: _draft_07(value) for key, value in schema.items()}
        if "prefixItems" in plain:
            rest = plain.pop("items", None)
            plain["items"] = plain.pop("prefixItems")
            if rest is not None:
                plain["additionalItems"] = rest
        if isinstance(plain.get("description"), str):
            plain["description"] = " ".join(plain["description"].split())
        return plain
    return [_draft_07(item) for item in schema] if isinstance(schema, list) else schema


def main() -> None:
    """Write the document to stdout as YAML."""
    sys.stdout.write(as_yaml(document()))


def as_yaml(written: Mapping[str, Json]) -> str:
    """Return a document as YAML without anchors."""
    import yaml  # only developers have it

    unshared = json.loads(json.dumps(written))
    text: str = yaml.safe_dump(unshared, sort_keys=False, allow_unicode=True, width=100)
    return f"# Written by `python -m wire.asyncapi`: change wire/, not this.\n{text}"


if __name__ == "__main__":
    main()
