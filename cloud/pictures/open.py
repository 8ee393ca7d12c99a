"""Opens the reading room's pictures as the settings say."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from cloud.index.index import Index
from cloud.pictures.disk import Disk
from cloud.pictures.kept import Kept
from cloud.pictures.makers import Makers
from cloud.pictures.pictures import Pictures
from cloud.pictures.store import Fetcher
from cloud.settings import CloudSettings
from cloud.stores.objects import Objects

if TYPE_CHECKING:
    from cloud.pictures.here import Here

_MB: Final = 1024 * 1024


def open_pictures(settings: CloudSettings, index: Index, objects: Objects) -> Pictures:
    """Open them; whoever does closes them.

    Args:
        settings: where they are kept, and whose models are trusted.
        index: says which fields and cells there are.
        objects: the bucket; it may wait for ever.

    Raises:
        OSError: the folder cannot be used.
    """
    folder = settings.picture_cache or platformdirs.user_cache_path("leukoscope") / "reading-room"
    limit = settings.picture_cache_mb * _MB
    kept = Kept(Disk(folder / "pictures", limit) if limit else None)
    makers = Makers(lambda: _look_here(settings, folder / "models"), objects)
    return Pictures(index, Fetcher(objects), makers, kept)


def _look_here(settings: CloudSettings, folder: Path) -> "Here":
    from cloud.pictures.here import Here

    return Here(settings, folder)
