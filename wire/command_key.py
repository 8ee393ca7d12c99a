"""A shared key over commands: the second lock, behind the broker's access list.

The signature is HMAC-SHA256 (RFC 2104) over the canonical JSON (RFC 8785) of
`{"site": …, "device": …, "command": the message without its signature}`: an order for one device is
worth nothing at another.
"""

import hashlib
import hmac
from pathlib import Path
from typing import Any, Final

import msgspec
import rfc8785

from wire.messages import Command

MIN_KEY_BYTES: Final = 32


class CommandKeyError(ValueError):
    """The command key cannot be used; the message names the file and says what to do."""


def command_key(file: Path) -> bytes:
    """Read a key: the file's bytes, without white space around them.

    Raises:
        CommandKeyError: the file cannot be read or holds too short a key.
    """
    try:
        key = file.read_bytes().strip()
    except OSError as error:
        raise CommandKeyError(
            f"cannot read the command key {file} ({error.strerror}): check command_key_file"
        ) from error
    if len(key) < MIN_KEY_BYTES:
        raise CommandKeyError(
            f"the command key {file} has {len(key)} bytes, {MIN_KEY_BYTES} are needed: make one "
            f"with `openssl rand -hex 32 > {file}`"
        )
    return key


def signed(command: Command, site: str, device: str, key: bytes) -> Command:
    """The same command with its signature.

    Raises:
        ValueError: a number among the arguments is too large for canonical JSON.
    """
    message = msgspec.json.decode(msgspec.json.encode(command))
    return msgspec.structs.replace(command, signature=_signature(message, site, device, key))


def is_signed(payload: bytes, site: str, device: str, key: bytes) -> bool:
    """Whether a command, as it came, has the signature that this key gives it."""
    try:
        message = msgspec.json.decode(payload)
        given = str(message.get("signature", ""))
        return hmac.compare_digest(given.encode(), _signature(message, site, device, key).encode())
    except (ValueError, AttributeError, RecursionError):  # nothing that could be signed
        return False


def _signature(message: dict[str, Any], site: str, device: str, key: bytes) -> str:
    plain = {name: value for name, value in message.items() if name != "signature"}
    text = rfc8785.dumps({"site": site, "device": device, "command": plain})
    return hmac.new(key, text, hashlib.sha256).hexdigest()
