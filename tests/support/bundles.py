"""Sound bundles under other names: the shipped one, its manifest written anew."""

import shutil
from pathlib import Path

import msgspec

from cloud.classifier import SHIPPED_BUNDLE
from wire.manifest import read_manifest, write_manifest


def renamed_bundle(folder: Path, name: str, version: str) -> Path:
    """Make `folder` such a bundle; its digest is its own."""
    shutil.copytree(SHIPPED_BUNDLE, folder)
    manifest, _ = read_manifest(folder)
    write_manifest(folder, msgspec.structs.replace(manifest, name=name, version=version))
    return folder
