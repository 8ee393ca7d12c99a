"""Is a bundle what its maker made? All that was altered, in one report."""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from wire.manifest import (
    GRAPH_NAME,
    MANIFEST_NAME,
    BundleError,
    Differences,
    Manifest,
    decode_manifest,
    differences,
    read_raw,
)
from wire.signature import (
    Keys,
    SignatureError,
    UnsignedError,
    UntrustedError,
    signed_files,
)

_REMEDY: Final = "fetch or export the bundle again"


class Findings(Struct, frozen=True, kw_only=True):
    """What an examination of a bundle found."""

    folder: str
    sha256: str | None
    """Of the manifest; None where there is none."""
    manifest: Manifest | None
    """None where it cannot be read."""
    signature: str
    """`sound`, `altered`, `untrusted`, `absent` or `not asked`."""
    signed_by: str | None
    """Fingerprint of the trusted key whose signature is sound."""
    changed: list[str]
    missing: list[str]
    added: list[str]
    faults: list[str]
    """Sentences, one for each thing that is wrong."""

    @property
    def altered(self) -> bool:
        """Whether anything is not as it was made; a missing or unknown signature is not that."""
        files = bool(self.changed or self.missing or self.added)
        return files or self.signature == "altered" or self.manifest is None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def examine(folder: Path, keys: "Keys | None") -> Findings:
    """Look at every file of a bundle, its manifest and its signature.

    A sound signature decides what each file should be, the manifest among them. Without one the
    manifest does.

    Args:
        folder: of the bundle.
        keys: trusted ones; None does not look at the signature.

    Raises:
        BundleError: the folder has no manifest at all.
    """
    raw = read_raw(folder)
    signature, signed_by, signed, faults = _signature(folder, keys)
    manifest: Manifest | None = None
    try:
        manifest = decode_manifest(raw, folder / MANIFEST_NAME)
        if GRAPH_NAME not in manifest.files:
            faults.append(f"{folder}: the manifest names no {GRAPH_NAME}")
    except BundleError as error:
        faults.append(str(error))
    told = manifest.files if manifest else {}
    expected = signed if signed is not None else told
    found = differences(folder, expected) if expected else Differences([], [], [])
    if signed is not None and manifest is not None and not found.changed:
        found = _merged(found, differences(folder, told))
    return Findings(
        folder=str(folder),
        sha256=hashlib.sha256(raw).hexdigest(),
        manifest=manifest,
        signature=signature,
        signed_by=signed_by,
        **found._asdict(),
        faults=faults + found.sentences(folder),
    )


def read_bundle(folder: Path, keys: Keys, *, allow_unsigned: bool) -> tuple[Manifest, str]:
    """Read a bundle that a trusted key signed; return its manifest and the bundle's SHA-256.

    Args:
        folder: of the bundle.
        keys: trusted.
        allow_unsigned: take one without a signature by a trusted key, too; nothing altered.

    Raises:
        BundleError: it was altered, or is not signed by a trusted key.
    """
    found = examine(folder, keys)
    if found.manifest is not None and found.sha256 is not None:
        if found.sound:
            return found.manifest, found.sha256
        only_unsigned = not found.altered and len(found.faults) == 1
        if allow_unsigned and only_unsigned and found.signature in ("absent", "untrusted"):
            return found.manifest, found.sha256
    raise BundleError(f"{'; '.join(found.faults)}: {_remedy(found)}")


def _remedy(found: Findings) -> str:
    if found.altered:
        return _REMEDY
    return "sign it with leukoscope-model export --sign-with, or trust its key (trusted_keys)"


def _signature(
    folder: Path, keys: "Keys | None"
) -> tuple[str, str | None, dict[str, str] | None, list[str]]:
    """State, fingerprint, signed files and faults."""
    if keys is None:
        return "not asked", None, None, []
    try:
        signed_by, signed = signed_files(folder, keys)
    except UnsignedError as error:
        return "absent", None, None, [str(error)]
    except UntrustedError as error:
        return "untrusted", None, None, [str(error)]
    except SignatureError as error:
        return "altered", None, None, [str(error)]
    return "sound", signed_by, signed, []


def _merged(one: Differences, other: Differences) -> Differences:
    return Differences(*(sorted({*mine, *theirs}) for mine, theirs in zip(one, other, strict=True)))


def as_builtins(found: Findings) -> dict[str, object]:
    """The findings for a program."""
    plain: dict[str, object] = msgspec.to_builtins(found)
    return plain | {"sound": found.sound}
