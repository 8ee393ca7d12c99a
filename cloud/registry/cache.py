"""Bundles that were fetched and found sound, kept on disk by their digest."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import structlog

from cloud.classifier import Classifier
from wire.manifest import BundleError

_KEPT: Final = 3
_BUILDING: Final = ".fetching-"
_LEFT_BEHIND_S: Final = 3600.0
"""A folder that is being built for longer belongs to a worker that was killed."""

_log = structlog.get_logger("cloud.registry")


class Cache:
    """The last few sound bundles of one model: `{folder}/{sha256}`.

    Args:
        folder: of this model; made if need be.
        opened: verifies a bundle and makes its classifier.

    Raises:
        OSError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, opened: Callable[[Path], Classifier]) -> None:
        self._folder = folder
        self._opened = opened
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self.building():
                pass
        except OSError as error:
            raise OSError(
                f"cannot keep model bundles in {folder} ({error.strerror}): set model_cache to a "
                "folder that this user can write"
            ) from error

    @contextmanager
    def building(self) -> Iterator[Path]:
        """An empty folder to fetch into; gone afterwards, unless it was admitted."""
        with tempfile.TemporaryDirectory(
            dir=self._folder, prefix=_BUILDING, ignore_cleanup_errors=True
        ) as place:
            folder = Path(place) / "bundle"
            folder.mkdir()
            yield folder

    def admit(self, folder: Path, sha256: str) -> Classifier:
        """Verify what was fetched into `folder`; keep it if it is sound.

        Raises:
            BundleError: it is not, or it is not the bundle of that digest.
        """
        classifier = self._opened(folder)
        if classifier.model.sha256 != sha256:
            raise BundleError(
                f"{folder} is bundle {classifier.model.sha256[:12]}…, not {sha256[:12]}…"
            )
        place = self._folder / sha256
        shutil.rmtree(place, ignore_errors=True)
        os.utime(folder)
        folder.rename(place)  # from here on it is whole, whenever this program is killed
        self._prune()
        return classifier

    def load(self, sha256: str) -> Classifier | None:
        """The classifier of a bundle that is here; None where it is not, or no longer sound."""
        place = self._folder / sha256
        if not place.is_dir():
            return None
        try:
            classifier = self._opened(place)
        except (BundleError, OSError) as error:
            _log.warning("cached_bundle_damaged", folder=str(place), error=str(error))
            shutil.rmtree(place, ignore_errors=True)
            return None
        if classifier.model.sha256 != sha256:
            shutil.rmtree(place, ignore_errors=True)
            return None
        os.utime(place)
        return classifier

    def newest(self) -> Classifier | None:
        """Of the bundles that are here and sound, the one that went live last."""
        for place in self._by_age():
            if classifier := self.load(place.name):
                return classifier
        return None

    def _by_age(self) -> list[Path]:
        """Bundles, the youngest first."""
        bundles = [p for p in self._folder.glob("[!.]*") if p.is_dir()]
        return sorted(bundles, key=_changed, reverse=True)

    def _prune(self) -> None:
        for old in self._by_age()[_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        for left in self._folder.glob(f"{_BUILDING}*"):
            if 0 < _changed(left) < time.time() - _LEFT_BEHIND_S:
                shutil.rmtree(left, ignore_errors=True)


def _changed(path: Path) -> float:
    """When it was changed, in seconds since 1970; 0 where another worker has just removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
