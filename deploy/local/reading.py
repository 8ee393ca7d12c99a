"""The reading room of a local system: its key, its settings, its first account."""

from typing import Any, Final

from cloud.reviews.signing import new_key, public_file
from cloud.settings import CloudSettings
from deploy.local.home import Credentials, Home

_ROLE: Final = "lead"
"""May read, sign, amend and look into the audit log."""


def room_settings(home: Home) -> dict[str, Any]:
    """What the cloud's settings say of it; everything it keeps lies in the data folder.

    Makes the key that signs reviews at the first run.

    Raises:
        ReviewKeyError: it cannot be written.
    """
    key = home.reading / "review.pem"
    if not key.exists():
        new_key(key)
    return {
        "review_key": str(key),
        "review_trusted": [str(public_file(key))],
        "index_url": f"sqlite:///{home.reading / 'index.sqlite'}",
        "accounts_url": f"sqlite:///{home.reading / 'accounts.sqlite'}",
        "picture_cache": str(home.pictures),
        "page": {"port": home.ports["review"]},
    }


def first_account(settings: CloudSettings, credentials: Credentials) -> bool:
    """Make the account at the first run; says whether its password still is the one that is kept.

    Raises:
        AccountsTroubleError: the database of accounts cannot be used.
    """
    from cloud.accounts.open import open_accounts  # a demo needs no SQLAlchemy
    from cloud.accounts.people import Accounts  # likewise

    database = open_accounts(settings)
    try:
        accounts = Accounts(database)
        name, password = credentials.reader_name, credentials.reader_password
        if not accounts.known(name):
            accounts.add(name, _ROLE, password)
        return accounts.check_password(name, password) is not None
    finally:
        database.close()
