"""Pulls the plug of a station while it scans a slide: kill -9 of the agent at random moments."""

import json
import random
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from brokers import Client
from cloud_end import DEVICE, SITE
from edge_program import settings_file, start_edge
from rig import Rig, until

from edge.commands.names import NAMES
from edge.settings import EdgeSettings
from edge.spool import Spool
from wire import topics
from wire.codec import decode, encode
from wire.messages import Command, Reply

SLIDE = "s0123456789abcdef0123"
_QUIET_S = 60.0
"""A life in which nothing is saved for so long has gone wrong."""


@dataclass
class Outcome:
    """What came of a trial."""

    kills: int = 0
    seconds: float = 0.0
    shown: list[str] = field(default_factory=list)
    """Capture ids that the station said were saved, in its own order."""
    stored: list[str] = field(default_factory=list)
    """Capture ids of the results in the store."""
    noted: list[int] = field(default_factory=list)
    """Fields of the scan that its file held whenever the station was dead."""
    scanned: int = 0
    """Captures that the scan's file counted in the end."""
    dead_letters: int = 0
    replies: list[Reply] = field(default_factory=list)

    @property
    def lost(self) -> set[str]:
        """Shown as saved and not stored."""
        return set(self.shown) - set(self.stored)

    @property
    def repeated(self) -> int:
        """Captures that the scan does not know of: fields that it took twice."""
        return len(self.stored) - self.scanned


class Trial:
    """One scan, killed again and again.

    Args:
        rig: broker, store and worker, running.
        folder: for logs and settings.
        captures: that the scan takes.
        seed: of the random moments.
        changes: to the station's settings.
    """

    def __init__(
        self, rig: Rig, folder: Path, captures: int, seed: int = 1, **changes: object
    ) -> None:
        self.outcome = Outcome()
        self._rig, self._folder, self._captures = rig, folder, captures
        self._random = random.Random(seed)
        values = {
            "camera": "simulator:7:ALL",
            "stage": "simulator",
            "allow_commands": NAMES,
            "page": {"enabled": False},
            "camera_hang_s": 120.0,  # a busy machine draws slowly; that is no hung camera
            "resend_after_s": 5.0,
        }
        self.settings: EdgeSettings = rig.edge_settings(**(values | changes))
        self._config = settings_file(folder, self.settings)
        self._lives = 0

    def run(self, kills: int, progress: Callable[[Outcome], None] = lambda _: None) -> Outcome:
        """Kill the station that often, spread over the captures, and let it come to its end."""
        began = time.monotonic()
        moments = sorted(self._random.sample(range(self._captures), min(kills, self._captures)))
        hand = _Hand(self.settings)
        try:
            for moment in moments:
                self._live(hand, lambda moment=moment: len(self.outcome.shown) >= moment)
                progress(self.outcome)
            self._last_life(hand)
        finally:
            hand.stop()
        self.outcome.replies = hand.replies
        self._count_stored()
        self.outcome.seconds = time.monotonic() - began
        return self.outcome

    def _live(self, hand: "_Hand", enough: Callable[[], bool]) -> None:
        """Start the station, have it scan, and kill it a random while after it saved enough."""
        life = self._start(hand)
        try:
            self._watch(life, enough)
            # While it starts, takes a picture, focuses, saves, notes, sends: whatever comes.
            until_s = time.monotonic() + self._random.uniform(0.0, 2.5)
            while time.monotonic() < until_s:
                life.urge()
                time.sleep(0.01)
        finally:
            life.process.send_signal(signal.SIGKILL)
            life.process.wait()
        self._read(life)
        self.outcome.kills += 1
        self.outcome.noted.append(self._noted()[0])

    def _last_life(self, hand: "_Hand") -> None:
        life = self._start(hand)
        try:
            self._watch(life, lambda: len(self.outcome.shown) >= self._captures)
            hand.order("stop-scan", "stop")
            self._settled(life)
        finally:
            life.process.terminate()
            life.process.wait(30)
        self._read(life)
        fields, self.outcome.scanned = self._noted()
        self.outcome.noted.append(fields)

    def _start(self, hand: "_Hand") -> "_Life":
        self._lives += 1
        self._before = list(self.outcome.shown)
        log = self._folder / f"life-{self._lives}.log"
        process = start_edge(log, "run", "--config", str(self._config))
        return _Life(process, log, hand, f"life-{self._lives}")

    def _watch(self, life: "_Life", enough: Callable[[], bool]) -> None:
        quiet, seen = time.monotonic(), -1
        while not enough():
            assert life.process.poll() is None, f"the station ended by itself:\n{life.said}"
            assert time.monotonic() - quiet < _QUIET_S, f"nothing is saved:\n{life.said}"
            life.urge()
            time.sleep(0.05)
            self._read(life)
            if len(self.outcome.shown) != seen:
                quiet, seen = time.monotonic(), len(self.outcome.shown)

    def _settled(self, life: "_Life") -> None:
        """Wait until the scan stands still and every saved capture has its receipt."""
        spool = Spool(self.settings.spool_file)
        try:
            until(lambda: '"scan_ended"' in life.log.read_text(), 60, "the scan stops")
            until(lambda: spool.status().waiting == 0, 180, "the spool is empty")
            assert life.process.poll() is None
        finally:
            spool.close()

    def _read(self, life: "_Life") -> None:
        """What this life said was saved; its last line may be cut short."""
        lines = life.log.read_text(errors="replace").splitlines()
        whole = [json.loads(one) for one in lines if one.startswith("{") and one.endswith("}")]
        shown = [one["capture_id"] for one in whole if one["event"] == "capture_saved"]
        self.outcome.shown = self._before + shown

    def _noted(self) -> tuple[int, int]:
        """Fields and captures that the scan's file holds; a file cut short would be an error."""
        file = self.settings.data_dir / "scans" / f"{SLIDE}.json"
        if not file.exists():
            return 0, 0
        noted = msgspec.json.decode(file.read_bytes())
        return noted["fields"], noted["saved"]

    def _count_stored(self) -> None:
        keys = self._rig.keys("results/")
        self.outcome.stored = sorted(key.rpartition("/")[2].removesuffix(".json") for key in keys)
        self.outcome.dead_letters = len(self._rig.keys("dead-letters/"))


@dataclass
class _Life:
    """The station from a start to its end."""

    process: subprocess.Popen[bytes]
    log: Path
    hand: "_Hand"
    name: str
    urged: float = 0.0

    @property
    def said(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-3000:]

    def urge(self) -> None:
        """Order the scan, again and again under one id, until it is answered."""
        if time.monotonic() - self.urged > 1.0 and not self.hand.answered(self.name):
            self.urged = time.monotonic()
            self.hand.order("start-scan", self.name, slide=SLIDE, cells=1000)


class _Hand(Client):
    """Gives orders from afar; the broker keeps them while the station is dead."""

    def __init__(self, settings: EdgeSettings) -> None:
        replies = topics.device(SITE, DEVICE, "replies")
        super().__init__(settings.broker, "hand", subscriptions=[replies], persistent=False)
        self.start()

    @property
    def replies(self) -> list[Reply]:
        return [decode(delivery.payload, Reply) for delivery in list(self.heard)]

    def answered(self, correlation_id: str) -> bool:
        return any(reply.correlation_id == correlation_id for reply in self.replies)

    def order(self, command: str, correlation_id: str, **arguments: object) -> None:
        message = Command(correlation_id=correlation_id, command=command, arguments=arguments)
        self.say(topics.device(SITE, DEVICE, "commands"), encode(message))

    def stop(self) -> None:
        self.connection.stop()
