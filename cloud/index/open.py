"""Opens the projection that the settings name."""

import platformdirs

from cloud.index.index import Index, IndexTroubleError
from cloud.settings import CloudSettings


def open_index(settings: CloudSettings) -> Index:
    """Open it, and make it where there is none.

    Raises:
        IndexTroubleError: it cannot be used.
    """
    if settings.index_url is not None:
        return Index(settings.index_url.get_secret_value())
    folder = platformdirs.user_data_path("leukoscope")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise IndexTroubleError(
            f"the index has no place in {folder} ({error}): set index_url"
        ) from error
    return Index(f"sqlite:///{folder / 'index.sqlite'}")
