"""The key that push services know this reading room by (VAPID, RFC 8292)."""

import base64
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec


class PushKeyError(ValueError):
    """A key that is not there or is none; the message says what to do."""


def new_push_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Make a key in a file that only this user can read.

    Raises:
        PushKeyError: the file is there, or cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(pem)
    except FileExistsError as error:
        raise PushKeyError(
            f"{file} is there: a key is never written over, for every device would have to be "
            "asked again"
        ) from error
    except OSError as error:
        raise PushKeyError(f"{file} cannot be written ({error})") from error
    return key


def load_push_key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Load it.

    Raises:
        PushKeyError: there is none of that kind.
    """
    try:
        key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise PushKeyError(f"push_key {file} cannot be read ({error})") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise PushKeyError(f"push_key {file} is not a key for pushes: make one with push-key")
    return key


def public_part(key: ec.EllipticCurvePrivateKey) -> str:
    """What a browser asks its push service for (`applicationServerKey`)."""
    point = key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )
    return base64.urlsafe_b64encode(point).rstrip(b"=").decode()
