"""How far each capture of a demo has come, told by three threads."""

import threading
import time
from dataclasses import dataclass

from edge.capture import Capture
from wire.messages import FrameResult, Receipt


@dataclass
class Journey:
    """One field, from the press to the received result. Times are `time.perf_counter` seconds."""

    number: int
    slide: str
    capture: Capture | None = None
    refusal: str = ""
    saved_at: float = 0.0
    receipt: Receipt | None = None
    receipted_at: float = 0.0
    result: FrameResult | None = None
    received_at: float = 0.0

    @property
    def state(self) -> str:
        """The last step it has taken."""
        if self.refusal or (self.receipt is not None and self.receipt.outcome == "refused"):
            return "refused"
        if self.result is not None and self.receipt is not None:
            return "received"
        if self.receipt is not None:
            return "stored"
        return "saved" if self.capture is not None else "captured"


@dataclass
class Tally:
    """What happened that belongs to no single field."""

    duplicate_receipts: int = 0
    repeated_results: int = 0


class Journeys:
    """All fields of one run. Thread-safe.

    A receipt can come before `saved` is told of its capture; it is kept until then.
    """

    def __init__(self) -> None:
        self.all: list[Journey] = []
        self.tally = Tally()
        self._by_id: dict[str, Journey] = {}
        self._early: list[tuple[Receipt | FrameResult, float]] = []
        self._lock = threading.Lock()

    def begin(self, slide: str) -> Journey:
        """A press of capture."""
        journey = Journey(len(self.all) + 1, slide)
        with self._lock:
            self.all.append(journey)
        return journey

    def drop(self, journey: Journey) -> None:
        """There was no picture to take after all."""
        with self._lock:
            self.all.remove(journey)

    def saved(self, journey: Journey, capture: Capture) -> None:
        """It is on disk."""
        with self._lock:
            journey.saved_at = time.perf_counter()
            journey.capture = capture
            self._by_id[capture.frame.capture_id] = journey
            early, self._early = self._early, []
            for message, at in early:
                self._note(message, at)

    def refused(self, journey: Journey, sentence: str) -> None:
        """The station refused it."""
        journey.refusal = sentence

    def arrived(self, message: Receipt | FrameResult) -> None:
        """A receipt, or a result on the result topic."""
        now = time.perf_counter()
        with self._lock:
            self._note(message, now)

    def open(self) -> int:
        """How many saved fields still wait for receipt or result."""
        with self._lock:
            return sum(_is_open(journey) for journey in self.all)

    def _note(self, message: Receipt | FrameResult, at: float) -> None:
        journey = self._by_id.get(message.capture_id or "")
        if journey is None:
            self._early.append((message, at))
        elif isinstance(message, Receipt):
            self.tally.duplicate_receipts += message.duplicate
            if journey.receipt is None:
                journey.receipt, journey.receipted_at = message, at
        elif journey.result is None:
            journey.result, journey.received_at = message, at
        else:
            self.tally.repeated_results += 1


def _is_open(journey: Journey) -> bool:
    if journey.capture is None:
        return False
    if journey.receipt is not None and journey.receipt.outcome == "refused":
        return False
    return journey.receipt is None or journey.result is None
