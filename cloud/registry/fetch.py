"""Fetches a published bundle. What comes out of a bucket is believed only once it is verified."""

import asyncio
import hashlib
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from cloud.stores.objects import Objects
from wire.manifest import MANIFEST_NAME, BundleError
from wire.registry import version_prefix

MAX_FILES: Final = 64
MAX_BYTES: Final = 256 * 1024 * 1024
"""More than this is no bundle; a disk and the memory have their ends."""


class Published(Protocol):
    """Which bundle is meant: a pointer of the registry, or the model that a result names."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def version(self) -> str:
        """Under which it was published."""

    @property
    def sha256(self) -> str:
        """Of the bundle."""


async def fetch(pointer: Published, objects: Objects, folder: Path) -> None:
    """Write a version's files into an empty folder; waits while the store is away.

    Raises:
        BundleError: the version is incomplete, too large, not the one the pointer means, or a file
            would lie outside the folder.
        OSError: the folder cannot be written.
    """
    prefix = version_prefix(pointer.name, pointer.version)
    sizes = await objects.sizes(prefix)
    _check(prefix, sizes)
    for key in sorted(sizes):
        data = await objects.get(key)
        if data is None or len(data) > MAX_BYTES:
            raise BundleError(f"{key} changed while it was being fetched: publish a new version")
        name = key.removeprefix(prefix)
        if name == MANIFEST_NAME:
            _check_digest(pointer, data)
        await asyncio.to_thread(_write, folder / name, data)


def _check(prefix: str, sizes: dict[str, int]) -> None:
    if prefix + MANIFEST_NAME not in sizes:
        raise BundleError(f"{prefix} holds no complete bundle: publish it, then promote it")
    if len(sizes) > MAX_FILES or sum(sizes.values()) > MAX_BYTES:
        raise BundleError(
            f"{prefix} holds {len(sizes)} files of {sum(sizes.values()):,} bytes: a bundle has at "
            f"most {MAX_FILES} files of {MAX_BYTES:,} bytes"
        )
    for key in sizes:
        path = PurePosixPath(key.removeprefix(prefix))
        if path.is_absolute() or {"..", "."} & set(path.parts) or "\\" in key or "\0" in key:
            raise BundleError(f"{key!r} is no name of a bundle's file")


def _check_digest(pointer: Published, manifest: bytes) -> None:
    digest = hashlib.sha256(manifest).hexdigest()
    if digest != pointer.sha256:
        raise BundleError(
            f"{pointer.name} {pointer.version} in the bucket is bundle {digest[:12]}…, "
            f"{pointer.sha256[:12]}… is meant: somebody wrote over it; publish a new version"
        )


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
