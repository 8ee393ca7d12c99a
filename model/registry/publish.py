"""Puts a verified bundle into the registry. A version is written once and never again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.errors import ModelError
from model.registry.bucket import Bucket
from wire.manifest import MANIFEST_NAME, Manifest
from wire.registry import manifest_key, version_prefix
from wire.signature import SIGNATURE_NAME, Keys


@dataclass(frozen=True)
class Published:
    """A version as it lies in the registry."""

    name: str
    version: str
    sha256: str
    files: int
    size: int
    """Bytes of all files."""
    already: bool
    """It lay there before, complete."""
    says: str
    """Name and version inside the bundle, which results will give."""


def publish(
    folder: Path,
    bucket: Bucket,
    name: str | None = None,
    version: str | None = None,
    keys: "Keys | None" = None,
) -> Published:
    """Verify a bundle, then write each file where none is; the manifest last.

    A publication that was cut short is taken up by the next one of the same bundle.

    Args:
        folder: of the bundle.
        bucket: the registry's.
        name: of the model in the registry; None for the manifest's.
        version: in the registry; None for the manifest's.
        keys: a signature by one of them is asked for; None asks for none.

    Raises:
        wire.manifest.BundleError: it is not the bundle its manifest says it is, or not signed.
        wire.registry.RegistryError: name or version may not stand in a key.
        ModelError: its graph is not what the manifest promises; another bundle has that version;
            the store cannot be reached or refuses.
    """
    from model.bundle.verify import verify  # onnxruntime takes its time to load

    manifest, digest = verify(folder, keys)
    name, version = name or manifest.name, version or manifest.version
    prefix = version_prefix(name, version)
    there = bucket.read(manifest_key(name, version))
    if there is not None and hashlib.sha256(there.data).hexdigest() != digest:
        raise ModelError(
            f"{name} {version} is already published with another digest "
            f"({hashlib.sha256(there.data).hexdigest()[:12]}…, this bundle is {digest[:12]}…): "
            "export this one with another --version"
        )
    files = _files(folder, manifest, digest)
    sizes = [_put(bucket, prefix, *file, complete=there is not None) for file in files]
    says = f"{manifest.name} {manifest.version}"
    return Published(name, version, digest, len(sizes), sum(sizes), there is not None, says)


def _put(bucket: Bucket, prefix: str, file: str, data: bytes, *, complete: bool) -> int:
    if not bucket.create(prefix + file, data):
        there = bucket.read(prefix + file)
        # Signed again since: the same bundle, whose first signature stays as it is.
        resigned = complete and file == SIGNATURE_NAME
        if there is None or (there.data != data and not resigned):
            raise ModelError(
                f"{prefix}{file} is there already and is another file: somebody publishes another "
                "bundle under this version, or gave up doing so. Publish with another version"
            )
    return len(data)


def _files(folder: Path, manifest: Manifest, digest: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file, in one order for everybody, and the manifest last.

    Of two that publish different bundles under one version at a time, the order lets only one
    come to the manifest.
    """
    names = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    for name in [*sorted(names - {MANIFEST_NAME}), MANIFEST_NAME]:
        data = (folder / name).read_bytes()
        expected = digest if name == MANIFEST_NAME else manifest.files.get(name)
        if expected not in (None, hashlib.sha256(data).hexdigest()):
            raise ModelError(f"{folder / name} changed while it was being published: do it again")
        yield name, data
