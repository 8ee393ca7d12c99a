"""The AsyncAPI document is current, valid, and true of the payloads that programs write."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import jsonschema
import msgspec
import pytest
import yaml

from wire import asyncapi, codec, topics
from wire.messages import Frame

ROOT = Path(__file__).resolve().parent.parent.parent
COMMITTED = ROOT / "docs" / "asyncapi.yaml"
OFFICIAL = ROOT / "tests" / "data" / "asyncapi" / "asyncapi-3.0.0.schema.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMMITTED.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def official() -> jsonschema.Draft7Validator:
    schema = json.loads(OFFICIAL.read_bytes())
    return jsonschema.Draft7Validator(schema)


def test_the_committed_document_is_what_the_code_says_now() -> None:
    now = asyncapi.as_yaml(asyncapi.document())
    assert COMMITTED.read_text(encoding="utf-8") == now, (
        "run: python -m wire.asyncapi > docs/asyncapi.yaml"
    )


def test_the_document_is_valid_by_the_official_schema(
    document: dict[str, Any], official: jsonschema.Draft7Validator
) -> None:
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in official.iter_errors(document)]
    assert errors == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("operations", "deviceSendsFrame", "action"), "publish"),
        (("operations", "deviceSendsFrame", "bindings", "mqtt", "qos"), 3),
        (("channels", "frames", "parameters", "site", "location"), 7),
        (("components", "schemas", "Frame", "type"), "record"),
    ],
)
def test_the_official_schema_would_have_found_a_mistake(
    path: tuple[str, ...],
    value: object,
    document: dict[str, Any],
    official: jsonschema.Draft7Validator,
) -> None:
    wrong = copy.deepcopy(document)
    place = wrong
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not official.is_valid(wrong)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = list(references(document))
    assert found
    for reference in found:
        place: Any = document
        for key in reference.removeprefix("#/").split("/"):
            assert key in place, reference
            place = place[key]


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_every_channel_of_a_device_is_in_the_document(document: dict[str, Any]) -> None:
    addresses = {channel["address"] for channel in document["channels"].values()}
    for name in get_args(topics.DeviceChannel):
        assert f"leukoscope/1/{{site}}/{{device}}/{name}" in addresses
    assert "leukoscope/1/{site}/results/{device}" in addresses
    assert "leukoscope/1/{site}/slides/{slide}" in addresses
    assert "leukoscope/1/{site}/reviews/{slide}" in addresses
    assert "leukoscope/1/{site}/models" in addresses


def test_every_level_in_braces_is_a_described_parameter(document: dict[str, Any]) -> None:
    for channel in document["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel["parameters"])


def test_only_status_slides_and_models_are_retained(document: dict[str, Any]) -> None:
    retained = {
        operation["channel"]["$ref"]
        for operation in document["operations"].values()
        if operation["bindings"]["mqtt"].get("retain")
    }
    assert retained == {"#/channels/status", "#/channels/slides", "#/channels/models"}


@pytest.mark.parametrize("name", sorted(asyncapi.EXAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_a_golden_payload_fits_the_schema_that_the_document_gives(
    name: Path, document: dict[str, Any], json_messages: dict[str, msgspec.Struct]
) -> None:
    kind = type(json_messages[name.stem]).__name__
    schema = schema_of(document, kind)
    payload = json.loads(name.read_bytes())
    jsonschema.validate(payload, schema, jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload | {"schema": "1"}, schema, jsonschema.Draft7Validator)


def test_the_golden_frame_fits_its_schema_where_json_can_say_it(
    document: dict[str, Any], frame: Frame
) -> None:
    payload = msgspec.msgpack.decode(codec.encode_frame(frame))
    assert isinstance(payload["image"], bytes)
    payload |= {"image": "", "captured_at": payload["captured_at"].isoformat()}
    schema = schema_of(document, "Frame")
    jsonschema.validate(payload, schema, jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload | {"cells": [[1, 2, 3]]}, schema, jsonschema.Draft7Validator)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(payload | {"slide": "frames"}, schema, jsonschema.Draft7Validator)


def schema_of(document: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{kind}", "components": document["components"]}


def test_the_examples_in_the_document_are_the_golden_payloads(document: dict[str, Any]) -> None:
    shown = {
        example["name"]: example["payload"]
        for message in document["components"]["messages"].values()
        for example in message.get("examples", [])
    }
    golden = {path.stem: json.loads(path.read_bytes()) for path in asyncapi.EXAMPLES.glob("*.json")}
    assert shown == golden
