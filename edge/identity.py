"""Who and what travels: capture ids, and slide tokens in place of accession numbers."""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from uuid6 import uuid7

_KEY_BYTES: Final = 32
_TOKEN_DIGITS: Final = 20
"""80 bits: two of a million slides of one key collide with probability below 1e-12."""
TOKEN_PATTERN: Final = rf"^s[0-9a-f]{{{_TOKEN_DIGITS}}}$(?!\n)"
"""What a slide token looks like; no accession number or name does."""


class SlideKeyError(RuntimeError):
    """The slide key cannot be read or made; the message names the file."""


def new_capture_id() -> str:
    """A UUIDv7: unique, and in the order of capture."""
    return str(uuid7())


def slide_token(accession: str, key: bytes) -> str:
    """Turn an accession number into the slide's token (HMAC-SHA256, RFC 2104).

    The same number gives the same token at this station; without the key the number cannot be
    found by trying all numbers.

    Raises:
        ValueError: the accession is empty.
    """
    plain = accession.strip()
    if not plain:
        raise ValueError("the slide's number is empty: scan or type it")
    digest = hmac.new(key, plain.encode(), hashlib.sha256).hexdigest()
    return f"s{digest[:_TOKEN_DIGITS]}"


def slide_key(file: Path) -> bytes:
    """Read the station's key, made at its first use and readable by its user only (0600).

    Raises:
        SlideKeyError: the file cannot be made, or is not a key.
    """
    try:
        return _read(file) if file.exists() else _make(file)
    except OSError as error:
        raise SlideKeyError(f"cannot use the slide key {file}: {error}") from error


def _make(file: Path) -> bytes:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = secrets.token_bytes(_KEY_BYTES)
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another program of this station was first
        return _read(file)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(key)
        opened.flush()
        os.fsync(opened.fileno())
    return key


def _read(file: Path) -> bytes:
    key = file.read_bytes()
    if len(key) != _KEY_BYTES:
        raise SlideKeyError(
            f"{file} is not a slide key ({len(key)} bytes, not {_KEY_BYTES}): restore it from the "
            "backup; with a new one the same slides get new tokens"
        )
    return key
