"""The command key: only who has it can order, one device, one order, unchanged."""

from pathlib import Path

import msgspec
import pytest

from wire.codec import encode
from wire.command_key import CommandKeyError, command_key, is_signed, signed
from wire.messages import Command

KEY = b"an example of 32 bytes, no secret"
ORDER = Command(
    correlation_id="c-1", command="set-camera", arguments={"gain": 1.0, "exposure_us": 9}
)


def accepted(payload: bytes, site: str = "lab-1", device: str = "scope-3") -> bool:
    return is_signed(payload, site, device, KEY)


def sent(order: Command = ORDER) -> bytes:
    return encode(signed(order, "lab-1", "scope-3", KEY))


def test_a_signed_command_is_accepted_however_its_json_is_written() -> None:
    fields = msgspec.json.decode(sent())
    backwards = dict(reversed(fields.items()))
    assert accepted(sent())
    assert accepted(msgspec.json.format(msgspec.json.encode(backwards), indent=3))
    assert accepted(sent().replace(b'"gain":1.0', b'"gain":1'))


def test_the_golden_command_is_signed(golden: Path) -> None:
    assert accepted((golden / "command_signed.json").read_bytes())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("correlation_id", "c-2"),
        ("command", "capture"),
        ("arguments", {"gain": 2.0, "exposure_us": 9}),
        ("at", "2025-07-01T09:30:20Z"),
        ("of_a_later_version", 1),
        ("signature", ""),
        ("signature", "0" * 64),
        ("signature", "é"),
        ("signature", None),
        ("arguments", {"gain": 2**60}),
    ],
)
def test_a_command_changed_on_its_way_is_not_accepted(field: str, value: object) -> None:
    assert not accepted(msgspec.json.encode(msgspec.json.decode(sent()) | {field: value}))


def test_a_signature_is_worth_nothing_at_another_device_or_with_another_key() -> None:
    assert not accepted(sent(), device="scope-4")
    assert not accepted(sent(), site="lab-2")
    assert not is_signed(sent(), "lab-1", "scope-3", KEY + b"!")


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b'"x"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_not_accepted(payload: bytes) -> None:
    assert not accepted(payload)


def test_a_key_is_read_without_the_line_end_that_openssl_writes(tmp_path: Path) -> None:
    file = tmp_path / "command.key"
    file.write_text("0" * 64 + "\n")
    assert command_key(file) == b"0" * 64


def test_a_missing_or_short_key_names_its_file_and_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "command.key"
    with pytest.raises(CommandKeyError, match=r"command\.key.*command_key_file"):
        command_key(file)
    file.write_text("secret")
    with pytest.raises(CommandKeyError, match=r"command\.key has 6 bytes.*openssl rand -hex 32"):
        command_key(file)
