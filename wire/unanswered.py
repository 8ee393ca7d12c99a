"""Which topic a broker's answer to a publish is about."""

import threading

from paho.mqtt.reasoncodes import ReasonCode


class Unanswered:
    """Topics by packet id, from publish to answer, whichever of the two is noted first.

    An answer may overtake the publishing thread. A lock held over paho's `publish` would keep the
    order, but paho answers with a lock of its own held: the two would wait for each other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._topics: dict[int, str] = {}  # by packet id, so never more than 65,535
        self._early: dict[int, ReasonCode] = {}

    def sent(self, mid: int, topic: str) -> ReasonCode | None:
        """Note what was sent; returns the answer if it was here first."""
        with self._lock:
            code = self._early.pop(mid, None)
            if code is None:
                self._topics[mid] = topic
            return code

    def answered(self, mid: int, code: ReasonCode) -> str | None:
        """Note an answer; returns the topic unless the answer was here first."""
        with self._lock:
            topic = self._topics.pop(mid, None)
            if topic is None:
                self._early[mid] = code
            return topic
