"""Key pairs, and the signature over a whole bundle, by model-signing. Offline."""

import os
from pathlib import Path
from typing import Final, NamedTuple

from model.errors import ModelError
from wire.manifest import MANIFEST_NAME
from wire.signature import SIGNATURE_NAME, canonical, fingerprint

KEY_NAME: Final = "leukoscope"


class KeyPair(NamedTuple):
    """Where a new pair lies."""

    private: Path
    """PEM, mode 0600: whoever has it can sign."""
    public: Path
    """PEM: what a worker trusts."""
    fingerprint: str


def new_keys(out: Path, name: str = KEY_NAME) -> KeyPair:
    """Make an elliptic-curve key pair (NIST P-256): `{name}.key` and `{name}.pem` in `out`.

    Raises:
        ModelError: there is one already; nothing is ever overwritten.
    """
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    pair = KeyPair(out / f"{name}.key", out / f"{name}.pem", fingerprint(key.public_key()))
    if pair.public.exists():
        raise ModelError(f"{pair.public} is there already: give --out another folder, or --name")
    _create(pair.private, private, 0o600)
    _create(pair.public, public, 0o644)
    return pair


def sign(folder: Path, private_key: Path) -> None:
    """Sign every file of a bundle, its manifest among them; an earlier signature is replaced.

    Raises:
        ModelError: the key cannot be read, or the folder is no bundle.
    """
    if not (folder / MANIFEST_NAME).is_file():
        raise ModelError(f"{folder} is no bundle: there is no {MANIFEST_NAME} to sign")
    try:
        from model_signing import hashing, signing
    except ImportError as error:
        raise ModelError(f"{error}: install with pip install 'leukoscope[model]'") from error
    signature = folder / SIGNATURE_NAME
    signature.unlink(missing_ok=True)
    hashed = hashing.Config()  # type: ignore[no-untyped-call]  # model-signing's has no types
    hashed.set_ignored_paths(paths=[SIGNATURE_NAME], ignore_git_paths=False)
    config = signing.Config()  # type: ignore[no-untyped-call]  # nor has this
    config.set_hashing_config(hashed)
    try:
        config.use_elliptic_key_signer(private_key=private_key).sign(folder, signature)
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(
            f"cannot sign with {private_key} ({error}): give the .key file that "
            "`leukoscope-model keys new` wrote"
        ) from error
    signature.write_bytes(canonical(signature.read_bytes()))


def _create(path: Path, data: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise ModelError(
            f"{path} is there already: give --out another folder, or --name"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
