"""Moves the pointer to the live version, never over somebody else's move."""

import getpass
import hashlib
import socket
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from model.errors import ModelError
from model.registry.bucket import Bucket
from wire.manifest import BundleError, decode_manifest
from wire.registry import (
    Pointer,
    history_key,
    manifest_key,
    pointer_key,
    read_pointer,
    version_prefix,
    write_pointer,
)


class Live(NamedTuple):
    """The pointer as it lies in the bucket."""

    pointer: Pointer
    data: bytes
    etag: str


class Move(NamedTuple):
    """What a promotion or rollback came to."""

    pointer: Pointer
    before: Pointer | None
    moved: bool
    """False where that version was live already."""


def live(bucket: Bucket, name: str) -> Live | None:
    """The pointer of a model; None while nothing was promoted.

    Raises:
        wire.registry.RegistryError: what lies there is no pointer.
    """
    stored = bucket.read(pointer_key(name))
    return stored and Live(read_pointer(stored.data, pointer_key(name)), *stored)


def promote(
    bucket: Bucket, name: str, version: str, by: str | None = None, *, again: bool = False
) -> Move:
    """Make a version live.

    Args:
        bucket: the registry's.
        name: of the model.
        version: a complete one.
        by: who does it; None for this user at this machine.
        again: move the pointer though it is there: workers that refused the bundle try again.

    Raises:
        wire.registry.RegistryError: a name, version or pointer that cannot be.
        ModelError: the version is not complete, or somebody else moved the pointer meanwhile.
    """
    digest = _complete(bucket, name, version)
    before = live(bucket, name)
    previous = before.pointer.number if before else None
    if before and (before.pointer.version, before.pointer.sha256) == (version, digest):
        if not again:
            return Move(before.pointer, before.pointer, moved=False)
        previous = before.pointer.previous
    return _move(bucket, before, _next(before, "promote", name, version, digest, previous, by))


def rollback(bucket: Bucket, name: str, by: str | None = None) -> Move:
    """Make live again what was live before the live version's promotion.

    A second rollback goes back one more, not forth again.

    Raises:
        wire.registry.RegistryError: a name or pointer that cannot be.
        ModelError: there is nothing to go back to, its version is no longer complete, or somebody
            else moved the pointer meanwhile.
    """
    before = live(bucket, name)
    if before is None:
        raise ModelError(f"nothing of {name} was promoted yet: leukoscope-model promote {name} …")
    if before.pointer.previous is None:
        raise ModelError(
            f"no version of {name} was live before {before.pointer.version}: "
            f"promote one (leukoscope-model models {name} lists them)"
        )
    target = _past(bucket, name, before.pointer.previous)
    digest = _complete(bucket, name, target.version)
    if digest != target.sha256:
        raise ModelError(
            f"{name} {target.version} in the bucket is not the bundle that was live: "
            "promote another version"
        )
    to = _next(before, "rollback", name, target.version, digest, target.previous, by)
    return _move(bucket, before, to)


def _next(
    before: Live | None,
    how: Literal["promote", "rollback"],
    name: str,
    version: str,
    digest: str,
    previous: int | None,
    by: str | None,
) -> Pointer:
    return Pointer(
        number=before.pointer.number + 1 if before else 1,
        moved_by=how,
        name=name,
        version=version,
        sha256=digest,
        previous=previous,
        promoted_at=datetime.now(UTC),
        by=by or _this_user(),
    )


def _move(bucket: Bucket, before: Live | None, to: Pointer) -> Move:
    """Keep the old pointer in the history, then write the new one over exactly that old one."""
    key, data = pointer_key(to.name), write_pointer(to)
    if before is None:
        moved = bucket.create(key, data)
    else:
        bucket.create(history_key(to.name, before.pointer.number), before.data)
        moved = bucket.replace(key, data, before.etag)
    if not moved:
        raise ModelError(
            f"somebody else moved {key} at this moment: look at what is live now "
            f"(leukoscope-model models {to.name}), then decide again"
        )
    return Move(to, before and before.pointer, moved=True)


def _past(bucket: Bucket, name: str, number: int) -> Pointer:
    key = history_key(name, number)
    stored = bucket.read(key)
    if stored is None:
        raise ModelError(f"{key} is gone, so there is no knowing what was live: promote a version")
    return read_pointer(stored.data, key)


def _complete(bucket: Bucket, name: str, version: str) -> str:
    """The digest of a version of which every file is there."""
    key, prefix = manifest_key(name, version), version_prefix(name, version)
    stored = bucket.read(key)
    if stored is None:
        raise ModelError(
            f"{name} {version} is not complete: {key} is not there. Publish the bundle first "
            f"(leukoscope-model models {name} lists what there is)"
        )
    try:
        files = decode_manifest(stored.data, key).files
    except BundleError as error:
        raise ModelError(f"{name} {version} cannot be promoted: {error}") from error
    if missing := sorted({prefix + file for file in files} - bucket.sizes(prefix).keys()):
        raise ModelError(f"{name} {version} is not complete: {', '.join(missing)} not there")
    return hashlib.sha256(stored.data).hexdigest()


def _this_user() -> str:
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user may have a number only
        user = "unknown"
    return f"{user}@{socket.gethostname()}"
