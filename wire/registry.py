"""The registry: where published bundles lie in the bucket, and the pointer to the live one.

models/{name}/{version}/…             the bundle's files; complete once manifest.json is there
models/{name}/current.json            the pointer: which version is live
models/{name}/history/{number}.json   the pointers before it

`model` writes it, `cloud` reads it.
"""

import re
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from wire.manifest import MANIFEST_NAME
from wire.messages import Moment, Sha256

REGISTRY_SCHEMA: Final = 1
MODELS: Final = "models/"

_CURRENT: Final = "current.json"
_HISTORY: Final = "history"
_SEGMENT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class RegistryError(ValueError):
    """A name, version or pointer that the registry does not have, or a change it refuses."""


class Pointer(Struct, frozen=True, kw_only=True):
    """Which version of a model is live. Moved only on the condition that nobody else did."""

    schema: int = REGISTRY_SCHEMA
    number: Annotated[int, Meta(ge=1)]
    """Of this move of the pointer: 1 for the first."""
    moved_by: Literal["promote", "rollback"]
    name: str
    version: str
    sha256: Sha256
    """Of the bundle: that of its `manifest.json`."""
    previous: Annotated[int, Meta(ge=1)] | None
    """Number of the pointer that a rollback goes back to; None when there is none before."""
    promoted_at: Moment
    by: str
    """Who moved it, as their machine calls them."""


def checked_segment(text: str, what: str) -> str:
    """Return a model's name or version when it may stand in an object key and a path alike.

    Raises:
        RegistryError: it may not.
    """
    if not _SEGMENT.fullmatch(text):
        raise RegistryError(
            f"{what} {text!r} is not usable: take 1 to 63 letters, digits, '.', '-' or '_', "
            "beginning with a letter or digit"
        )
    if text in {_CURRENT, _HISTORY}:
        raise RegistryError(f"{what} {text!r} is a reserved word: choose another")
    return text


def model_prefix(name: str) -> str:
    """Prefix of all that belongs to a model."""
    return f"{MODELS}{checked_segment(name, 'model name')}/"


def version_prefix(name: str, version: str) -> str:
    """Prefix of a version's files."""
    return f"{model_prefix(name)}{checked_segment(version, 'version')}/"


def manifest_key(name: str, version: str) -> str:
    """Key of a version's manifest, written last."""
    return version_prefix(name, version) + MANIFEST_NAME


def pointer_key(name: str) -> str:
    """Key of the pointer."""
    return model_prefix(name) + _CURRENT


def history_key(name: str, number: int) -> str:
    """Key of the pointer of that number, once another took its place."""
    return f"{model_prefix(name)}{_HISTORY}/{number:06}.json"


def version_of(key: str, name: str) -> str | None:
    """The version that an object belongs to; None for the pointer and its history."""
    version, slash, _ = key.removeprefix(model_prefix(name)).partition("/")
    return version if slash and version != _HISTORY else None


def write_pointer(pointer: Pointer) -> bytes:
    """The pointer as JSON, for people too."""
    return msgspec.json.format(msgspec.json.encode(pointer), indent=2) + b"\n"


class _Envelope(Struct):
    schema: int


def read_pointer(data: bytes, key: str) -> Pointer:
    """Read a pointer that lies under `key`.

    Raises:
        RegistryError: it is none, or of a schema that this program does not know.
    """
    try:
        schema = msgspec.json.decode(data, type=_Envelope).schema
        if schema != REGISTRY_SCHEMA:
            raise RegistryError(
                f"{key} has schema {schema}, this program speaks {REGISTRY_SCHEMA}: "
                "bring both sides to the same leukoscope version"
            )
        pointer = msgspec.json.decode(data, type=Pointer)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RegistryError(f"{key} is no pointer to a model: {error}") from error
    checked_segment(pointer.name, "model name")
    checked_segment(pointer.version, "version")
    return pointer
