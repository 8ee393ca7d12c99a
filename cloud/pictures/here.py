"""Model bundles on this machine. Import late: it brings onnxruntime, which looking never needs."""

from pathlib import Path

from cloud.classifier import SHIPPED_BUNDLE, Classifier
from cloud.registry.cache import Cache
from cloud.registry.models import trust_of
from cloud.settings import CloudSettings
from wire.manifest import MANIFEST_NAME, sha256_of


class Here:
    """The shipped bundle, that of the settings, and those that were fetched.

    Args:
        settings: say whose bundles are taken.
        folder: of the fetched ones. Not the worker's: what that keeps last goes live there.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, settings: CloudSettings, folder: Path) -> None:
        self._settings = settings
        self.fetched = Cache(folder, self._open)

    def load(self, sha256: str) -> Classifier | None:
        """The model of a bundle's SHA-256; None where it is not here.

        Raises:
            BundleError: it is here, and cannot be used.
        """
        for folder in filter(None, (self._settings.bundle, SHIPPED_BUNDLE)):
            manifest = folder / MANIFEST_NAME
            if manifest.is_file() and sha256_of(manifest) == sha256:
                return self._open(folder)
        return self.fetched.load(sha256)

    def _open(self, folder: Path) -> Classifier:
        return Classifier(folder, trust_of(self._settings))
