"""Who has a slide open now."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from cloud.index.index import SlideKey
from cloud.live.news import Change, News


class Presence:
    """Counts each reader's open pages of each slide; thread-safe.

    Args:
        news: told when a reader comes to a slide, and when the last of their pages leaves it.
    """

    def __init__(self, news: News) -> None:
        self._news = news
        self._open: dict[SlideKey, Counter[str]] = {}
        self._lock = threading.Lock()

    @contextmanager
    def enter(self, slide: SlideKey, reader: str) -> Iterator[None]:
        """The reader has the slide open on one more page, until this ends."""
        with self._lock:
            pages = self._open.setdefault(slide, Counter())
            pages[reader] += 1
            came = pages[reader] == 1
        if came:
            self._news.tell(Change(*slide, "presence", reader))
        try:
            yield
        finally:
            self._leave(slide, reader)

    def others(self, slide: SlideKey, reader: str) -> list[str]:
        """Readers but this one who have it open, in order of their names."""
        with self._lock:
            return sorted(set(self._open.get(slide, ())) - {reader})

    def _leave(self, slide: SlideKey, reader: str) -> None:
        with self._lock:
            pages = self._open[slide]
            pages[reader] -= 1
            left = pages[reader] == 0
            if left:
                del pages[reader]
            if not pages:
                del self._open[slide]
        if left:
            self._news.tell(Change(*slide, "presence", reader))
