"""Sound bundles under other names: the shipped one, its manifest written anew and signed anew."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import msgspec

from cloud.classifier import SHIPPED_BUNDLE
from model.bundle.signing import KeyPair, new_keys, sign
from wire.manifest import read_manifest, write_manifest


@cache
def signing_keys() -> KeyPair:
    """The pair that signs these bundles; a worker of the tests trusts its public key."""
    return new_keys(Path(tempfile.mkdtemp(prefix="leukoscope-test-keys-")))


def renamed_bundle(folder: Path, name: str, version: str) -> Path:
    """Make `folder` such a bundle, signed with the tests' key; its digest is its own."""
    shutil.copytree(SHIPPED_BUNDLE, folder)
    manifest, _ = read_manifest(folder)
    write_manifest(folder, msgspec.structs.replace(manifest, name=name, version=version))
    sign(folder, signing_keys().private)
    return folder
