"""The key that signs entries, and those whose signatures count."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from cloud.reviews.entry import Entry, Signed, digest
from cloud.settings import CloudSettings
from wire.settings import SettingsError

Trusted: TypeAlias = Mapping[str, Ed25519PublicKey]
"""Public keys by fingerprint."""


class ReviewKeyError(SettingsError):
    """A key that is not there or is none; the message says what to do."""


def fingerprint(key: Ed25519PublicKey) -> str:
    """SHA-256 of the raw public key, lower-case hex."""
    return digest(key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))


def new_key(file: Path) -> Ed25519PrivateKey:
    """Make a pair: `file` (private, for this user only) and beside it `file` + `.pub`.

    Raises:
        ReviewKeyError: the file is there, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(secret)
        public_file(file).write_bytes(public)
    except FileExistsError as error:
        raise ReviewKeyError(f"{file} is there: a key is never written over") from error
    except OSError as error:
        raise ReviewKeyError(f"{file} cannot be written ({error})") from error
    return key


def public_file(file: Path) -> Path:
    """Where the public half lies."""
    return file.with_name(file.name + ".pub")


def load_key(file: Path) -> Ed25519PrivateKey:
    """Load the private key.

    Raises:
        ReviewKeyError: there is none of that kind.
    """
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ReviewKeyError(f"review_key {file} cannot be read ({error})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ReviewKeyError(f"review_key {file} is not an Ed25519 key: make one with review-key")
    return key


def load_trusted(files: Iterable[Path]) -> Trusted:
    """Load public keys.

    Raises:
        ReviewKeyError: a file holds none of that kind.
    """
    found = {}
    for file in files:
        try:
            key = serialization.load_pem_public_key(file.read_bytes())
        except (OSError, ValueError) as error:
            raise ReviewKeyError(f"review_trusted {file} cannot be read ({error})") from error
        if not isinstance(key, Ed25519PublicKey):
            raise ReviewKeyError(f"review_trusted {file} is not an Ed25519 key")
        found[fingerprint(key)] = key
    return found


def configured_keys(settings: CloudSettings) -> Trusted:
    """Those of `review_trusted`, and that of `review_key`; there may be none.

    Raises:
        ReviewKeyError: one cannot be used.
    """
    trusted = dict(load_trusted(settings.review_trusted))
    if settings.review_key is not None:
        own = load_key(settings.review_key).public_key()
        trusted[fingerprint(own)] = own
    return trusted


def sign(entry: Entry, key: Ed25519PrivateKey) -> bytes:
    """The entry's bytes for the bucket."""
    raw = msgspec.json.encode(entry)
    return msgspec.json.encode(
        Signed(msgspec.Raw(raw), fingerprint(key.public_key()), key.sign(raw).hex())
    )


def is_sound(signed: Signed, trusted: Trusted) -> bool | None:
    """Whether the signature is its key's; None where that key is not trusted."""
    key = trusted.get(signed.key)
    if key is None:
        return None
    try:
        key.verify(bytes.fromhex(signed.signature), bytes(signed.entry))
    except InvalidSignature:
        return False
    return True
