"""What the registry holds of a model."""

import hashlib
from dataclasses import dataclass

from model.registry.bucket import Bucket
from model.registry.pointer import live
from wire.manifest import BundleError, Manifest, decode_manifest
from wire.registry import Pointer, manifest_key, model_prefix, version_of


@dataclass(frozen=True)
class Version:
    """One version."""

    version: str
    size: int
    """Bytes of all its files."""
    live: bool
    sha256: str | None = None
    """None where it has no manifest: its publication did not end."""
    manifest: Manifest | None = None
    """None where there is none, or none that can be read."""
    trouble: str = ""


def versions(bucket: Bucket, name: str) -> tuple[list[Version], Pointer | None]:
    """Every version of a model, by name, and the pointer if there is one.

    Raises:
        wire.registry.RegistryError: the name may not stand in a key, or the pointer is none.
        model.errors.ModelError: the store cannot be reached or refuses.
    """
    sizes: dict[str, int] = {}
    for key, size in bucket.sizes(model_prefix(name)).items():
        if version := version_of(key, name):
            sizes[version] = sizes.get(version, 0) + size
    current = live(bucket, name)
    pointer = current.pointer if current else None
    return [_version(bucket, name, v, sizes[v], pointer) for v in sorted(sizes)], pointer


def _version(
    bucket: Bucket, name: str, version: str, size: int, pointer: Pointer | None
) -> Version:
    is_live = pointer is not None and pointer.version == version
    key = manifest_key(name, version)
    stored = bucket.read(key)
    if stored is None:
        return Version(version, size, is_live, trouble="not complete: it has no manifest")
    digest = hashlib.sha256(stored.data).hexdigest()
    try:
        return Version(version, size, is_live, digest, decode_manifest(stored.data, key))
    except BundleError as error:
        return Version(version, size, is_live, digest, trouble=str(error))
