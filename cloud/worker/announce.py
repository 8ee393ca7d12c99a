"""Tells each site which model reads its frames."""

from collections.abc import Callable

from wire import topics
from wire.codec import encode
from wire.messages import ModelAnnouncement


class Announcer:
    """Publishes the last word on the model, retained, to every site that this worker knows of.

    Args:
        site: the only one that is served; None to learn of sites from their frames.
        publish: sends a payload on a topic, retained; while there is no broker it need not.
    """

    def __init__(self, site: str | None, publish: Callable[[str, bytes], None]) -> None:
        self._sites = set() if site is None else {site}
        self._publish = publish
        self._word: ModelAnnouncement | None = None

    def say(self, word: ModelAnnouncement) -> None:
        """Publish to all known sites, and keep it for those to come."""
        self._word = word
        self.repeat()

    def repeat(self) -> None:
        """Publish the last word again: a broker may have come back without what it retained."""
        for site in self._sites:
            self._send(site)

    def meet(self, site: str) -> None:
        """A frame of this site was read; at the first one it is told."""
        if site not in self._sites:
            self._sites.add(site)
            self._send(site)

    def _send(self, site: str) -> None:
        if self._word is not None:
            self._publish(topics.models(site), encode(self._word))
