"""Names of accounts: they stand as `reader` in review chains, so each means one person for ever."""

import unicodedata
from typing import Final

from cloud.accounts.trouble import AccountRefused

LONGEST: Final = 64
"""Characters; what `reader` of an entry may hold."""

LONGEST_ALIKE: Final = 4 * LONGEST
"""Some characters become several where names are compared."""


def checked(name: str) -> str:
    """The name as it is kept.

    Raises:
        AccountRefused: `name-unusable`.
    """
    kept = unicodedata.normalize("NFC", name)
    if not usable(kept):
        raise AccountRefused(
            "name-unusable",
            f"A name has 1 to {LONGEST} printable characters, with single spaces between words. It "
            "stands in every review: take the reader's own name, never anything of a patient.",
        )
    return kept


def usable(name: str) -> bool:
    """Whether it could be a name."""
    tidy = name == " ".join(name.split()) and name.isprintable()
    return tidy and 1 <= len(name) <= LONGEST and len(alike(name)) <= LONGEST_ALIKE


def alike(name: str) -> str:
    """The same for two names that people would take for one: case and width do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
