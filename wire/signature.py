"""Who signed a bundle. `model` signs with model-signing (Sigstore); this reads what it wrote.

The file is a Sigstore bundle 0.3: a DSSE envelope around an in-toto statement that names the
SHA-256 of every file, signed with ECDSA by an elliptic-curve key. It is verified here rather than
by model-signing, so that a worker carries one library in place of fourteen, and more strictly: the
file has one right spelling, so that no bit of it can change unseen. See docs/decisions/013.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

SIGNATURE_NAME: Final = "model.sig"

REFERENCE_KEYS: Final = tuple(sorted((Path(__file__).parent / "trusted").glob("*.pem")))
"""Public keys of the bundles that come with leukoscope."""

Keys: TypeAlias = "dict[str, EllipticCurvePublicKey]"
"""Public keys by their fingerprint, lower-case hex."""

_PAYLOAD: Final = "application/vnd.in-toto+json"
_HASHES: Final = {"secp256r1": "SHA256", "secp384r1": "SHA384", "secp521r1": "SHA512"}


class SignatureError(ValueError):
    """A signature that is not there, not by a trusted key, or not what its maker wrote."""


class UnsignedError(SignatureError):
    """There is no signature."""


class UntrustedError(SignatureError):
    """It is by another key than those trusted."""


class PublicKeyError(ValueError):
    """A file that holds no public key of a kind that signs bundles."""


class _PublicKey(Struct, forbid_unknown_fields=True):
    hint: str


class _Material(Struct, forbid_unknown_fields=True, rename="camel"):
    public_key: _PublicKey
    tlog_entries: Annotated[list[Any], Meta(max_length=0)]


class _One(Struct, forbid_unknown_fields=True):
    sig: bytes
    keyid: Literal[""]


class _Envelope(Struct, forbid_unknown_fields=True, rename="camel"):
    payload: bytes
    payload_type: Literal["application/vnd.in-toto+json"]
    signatures: Annotated[list[_One], Meta(min_length=1, max_length=1)]


class _File(Struct, forbid_unknown_fields=True, rename="camel"):
    """The signature file; its fields in the order that model-signing writes them."""

    media_type: Literal["application/vnd.dev.sigstore.bundle.v0.3+json"]
    verification_material: _Material
    dsse_envelope: _Envelope


class _Resource(Struct):
    name: str
    digest: str
    algorithm: Literal["sha256"]


class _Serialization(Struct):
    method: Literal["files"]
    hash_type: Literal["sha256"]
    ignore_paths: Annotated[list[Literal["model.sig"]], Meta(min_length=1, max_length=1)]


class _Predicate(Struct, rename="camel"):
    resources: list[_Resource]
    serialization: _Serialization


class _Statement(Struct, rename="camel"):
    predicate_type: Literal["https://model_signing/signature/v1.0"]
    predicate: _Predicate


def load_keys(paths: Iterable[Path]) -> Keys:
    """Read public keys, PEM.

    Raises:
        PublicKeyError: a file cannot be read or holds no elliptic-curve public key.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    keys = {}
    for path in paths:
        try:
            key = load_pem_public_key(path.read_bytes())
        except (OSError, ValueError) as error:
            raise PublicKeyError(
                f"{path} is no public key ({error}): give the .pem file that "
                "`leukoscope-model keys new` wrote"
            ) from error
        if not isinstance(key, EllipticCurvePublicKey) or key.curve.name not in _HASHES:
            raise PublicKeyError(f"{path} is no elliptic-curve key of {', '.join(_HASHES)}")
        keys[fingerprint(key)] = key
    return keys


def fingerprint(key: "EllipticCurvePublicKey") -> str:
    """SHA-256 of the key's PEM text, as model-signing takes it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(pem).hexdigest()


def canonical(raw: bytes) -> bytes:
    """A signature file in its one right spelling.

    Raises:
        SignatureError: it is no such file.
    """
    return msgspec.json.encode(_decoded(raw))


def signed_files(folder: Path, keys: Keys) -> tuple[str, dict[str, str]]:
    """What the signature of a bundle vouches for.

    Args:
        folder: of the bundle.
        keys: trusted.

    Returns:
        Fingerprint of the key that signed, and the SHA-256 of each file by its name.

    Raises:
        UnsignedError: there is no signature.
        UntrustedError: it is by none of the keys.
        SignatureError: it was altered.
    """
    path = folder / SIGNATURE_NAME
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise UnsignedError(f"{folder} is not signed") from error
    except OSError as error:
        raise SignatureError(f"{path} cannot be read: {error}") from error
    file = _decoded(raw)
    if msgspec.json.encode(file) != raw:
        raise SignatureError(f"{path} was altered: it is not spelt as it was written")
    hint = file.verification_material.public_key.hint
    if hint not in keys:
        raise UntrustedError(
            f"{path} names the key {hint[:12]}…, which is not among the {len(keys)} trusted"
        )
    _verify(path, keys[hint], file.dsse_envelope)
    return hint, _vouched(path, file.dsse_envelope.payload)


def _decoded(raw: bytes) -> _File:
    try:
        return msgspec.json.decode(raw, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureError(f"{SIGNATURE_NAME} is no signature of a bundle: {error}") from error


def _verify(path: Path, key: "EllipticCurvePublicKey", envelope: _Envelope) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

    # DSSE's pre-authentication encoding, github.com/secure-systems-lab/dsse, protocol.md.
    head = f"DSSEv1 {len(_PAYLOAD)} {_PAYLOAD} {len(envelope.payload)} ".encode()
    digest: hashes.HashAlgorithm = getattr(hashes, _HASHES[key.curve.name])()
    try:
        key.verify(envelope.signatures[0].sig, head + envelope.payload, ECDSA(digest))
    except InvalidSignature as error:
        raise SignatureError(
            f"{path} was altered: the key that it names did not sign what it says"
        ) from error


def _vouched(path: Path, payload: bytes) -> dict[str, str]:
    try:
        statement = msgspec.json.decode(payload, type=_Statement)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureError(f"{path} signs something else than a bundle: {error}") from error
    return {one.name: one.digest for one in statement.predicate.resources}
