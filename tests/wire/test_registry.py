"""The registry's keys and pointer: nothing outside its prefix, nothing half understood."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import registry
from wire.registry import Pointer, RegistryError

POINTER = Pointer(
    number=7,
    moved_by="promote",
    name="leukoscope-acgan",
    version="0.3.0",
    sha256="a" * 64,
    previous=5,
    promoted_at=datetime(2025, 7, 1, 9, 30, tzinfo=UTC),
    by="ada@lab",
)
usable = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", fullmatch=True).filter(
    lambda text: text not in {"history", "current.json"}
)


def test_keys_are_as_the_module_says() -> None:
    assert registry.version_prefix("acgan", "1.0") == "models/acgan/1.0/"
    assert registry.manifest_key("acgan", "1.0") == "models/acgan/1.0/manifest.json"
    assert registry.pointer_key("acgan") == "models/acgan/current.json"
    assert registry.history_key("acgan", 12) == "models/acgan/history/000012.json"


@given(usable, usable)
def test_every_file_of_a_version_is_known_as_that_version_s(name: str, version: str) -> None:
    assert registry.version_of(registry.manifest_key(name, version), name) == version
    assert registry.version_of(registry.pointer_key(name), name) is None
    assert registry.version_of(registry.history_key(name, 3), name) is None


@pytest.mark.parametrize(
    "text",
    ["", "..", ".hidden", "a/b", "a\\b", "a b", "a\n", "ä", "x" * 64, "history", "current.json"],
)
def test_a_name_or_version_that_could_lead_elsewhere_is_refused(text: str) -> None:
    with pytest.raises(RegistryError, match="version"):
        registry.version_prefix("acgan", text)
    with pytest.raises(RegistryError, match="model name"):
        registry.pointer_key(text)


def test_a_pointer_is_read_as_it_was_written() -> None:
    assert registry.read_pointer(registry.write_pointer(POINTER), "k") == POINTER


def test_a_pointer_of_a_later_schema_names_both_versions() -> None:
    fields = msgspec.to_builtins(POINTER) | {"schema": 2}
    with pytest.raises(RegistryError, match=r"k has schema 2, this program speaks 1"):
        registry.read_pointer(msgspec.json.encode(fields), "k")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "A" * 64),
        ("number", 0),
        ("previous", 0),
        ("version", 3),
        ("version", "../../etc"),
        ("name", "a/b"),
        ("promoted_at", "2025-07-01T09:30:00"),
        ("moved_by", "magic"),
    ],
)
def test_a_pointer_with_a_wrong_field_is_refused(field: str, value: object) -> None:
    fields = msgspec.json.decode(registry.write_pointer(POINTER)) | {field: value}
    with pytest.raises(RegistryError):
        registry.read_pointer(msgspec.json.encode(fields), "k")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff\xfe", b"[1]", b"[" * 100_000])
def test_what_is_no_pointer_is_refused_by_its_key(data: bytes) -> None:
    with pytest.raises(RegistryError, match="k is no pointer to a model"):
        registry.read_pointer(data, "k")
