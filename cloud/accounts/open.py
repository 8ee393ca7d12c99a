"""Opens the database of accounts that the settings name."""

import platformdirs

from cloud.accounts.database import Database
from cloud.accounts.trouble import AccountsTroubleError
from cloud.settings import CloudSettings


def open_accounts(settings: CloudSettings) -> Database:
    """Open it, and make it where there is none: for `Accounts`, `Sessions` and `Audit`.

    Raises:
        AccountsTroubleError: it cannot be used.
    """
    if settings.accounts_url is not None:
        return Database(settings.accounts_url.get_secret_value())
    folder = platformdirs.user_data_path("leukoscope")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise AccountsTroubleError(
            f"accounts have no place in {folder} ({error}): set accounts_url"
        ) from error
    return Database(f"sqlite:///{folder / 'accounts.sqlite'}")
