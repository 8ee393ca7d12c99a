"""Is a folder the bundle its maker made, and does its graph do what it promises?"""

from pathlib import Path

import typer

from model.bundle.graph import Graph
from model.errors import ModelError
from wire.integrity import Findings, examine
from wire.manifest import GRAPH_NAME, BundleError, Manifest
from wire.signature import REFERENCE_KEYS, Keys, PublicKeyError, load_keys


def own_keys() -> Path:
    """Folder of this user's key pairs, such as `~/.config/leukoscope/keys`."""
    return Path(typer.get_app_dir("leukoscope")) / "keys"


def trusted(given: list[Path] | None = None) -> Keys:
    """The keys given; where none are, those that come with leukoscope and this user's own.

    Raises:
        ModelError: a file holds none.
    """
    try:
        return load_keys(given or [*REFERENCE_KEYS, *sorted(own_keys().glob("*.pem"))])
    except PublicKeyError as error:
        raise ModelError(str(error)) from error


def findings(folder: Path, keys: "Keys | None") -> Findings:
    """Examine a bundle, and run its graph where nothing was altered.

    Raises:
        BundleError: the folder holds no bundle at all.
        ModelError: the graph is not what the manifest promises.
    """
    found = examine(folder, keys)
    if found.manifest is not None and not found.altered:
        Graph(folder / GRAPH_NAME).check_against(found.manifest)
    return found


def verify(folder: Path, keys: "Keys | None" = None) -> tuple[Manifest, str]:
    """Read a bundle, check every file's digest, and run its graph.

    Args:
        folder: of the bundle.
        keys: a signature by one of them is asked for; None asks for none.

    Returns:
        The manifest and the bundle's SHA-256.

    Raises:
        BundleError: the folder is not the bundle its manifest says it is, or not signed.
        ModelError: the graph is not what the manifest promises.
    """
    found = findings(folder, keys)
    if found.manifest is None or found.sha256 is None or not found.sound:
        raise BundleError(f"{'; '.join(found.faults)}: fetch or export the bundle again")
    return found.manifest, found.sha256
