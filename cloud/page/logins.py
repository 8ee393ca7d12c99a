"""Logins that failed: after a few, the address has to wait, and whoever is called so."""

from typing import Final

from wire.web.attempts import Attempts

BY_NAME: Final = 5
"""Failed logins under one name within five minutes."""

BY_ADDRESS: Final = 20
"""From one address: a laboratory may have one for all its screens."""


class Logins:
    """Counts them both ways: one name from many addresses, many names from one."""

    def __init__(self) -> None:
        self._addresses = Attempts(allowed=BY_ADDRESS)
        self._names = Attempts(allowed=BY_NAME)
        self._told = Attempts(allowed=1)

    def wait_s(self, address: str, name: str) -> float:
        """Note an attempt; seconds to wait, 0 where it may be made."""
        return self._addresses.wait_s(address) or self._names.wait_s(name)

    def is_news(self, address: str) -> bool:
        """Whether to note that this address has to wait: once within the window.

        A line for each try would let anybody fill the audit log.
        """
        return not self._told.wait_s(address)

    def entered(self, address: str, name: str) -> None:
        """The password was right."""
        self._addresses.forget(address)
        self._names.forget(name)
