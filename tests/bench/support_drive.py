"""The microscopes' side of the bench: simulated fields, published until they are receipted."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.identity import new_capture_id
from imaging.cells import FINDER_ID, find_white_cells
from imaging.encode import encode_within
from imaging.quality import measure
from imaging.simulator import SlideKind, Smear
from imaging.types import Image
from wire import messages, topics
from wire.codec import encode_frame
from wire.messages import Frame

STATIONS = 4
WINDOW = 32
"""Frames of one station that await their receipt at a time, as `edge.settings` has it."""
KINDS: tuple[SlideKind, ...] = ("Normal", "ALL", "AML")
CAMERA = (1280, 960)
"""Pixels of the simulated camera; a smaller field is the same one, shrunk."""
STALLED_S = 60.0


class BenchError(RuntimeError):
    """A measurement that cannot be counted; the message says why."""


def fields(count: int, width: int, height: int) -> Iterator[Frame]:
    """Fields with white cells, found and encoded as a station does."""
    smears = {kind: Smear(11, kind) for kind in KINDS}
    made, place = 0, 0
    while made < count:
        kind = KINDS[made % len(KINDS)]
        x, place = place * 60.0, place + 1
        if not smears[kind].has_white_cell(x, 40.0, *CAMERA):
            continue
        image = _shrunk(smears[kind].field(x, 40.0, *CAMERA).image, width, height)
        boxes = find_white_cells(image)
        encoded = encode_within(image)
        if not boxes or encoded.scale != 1:
            continue
        made += 1
        quality = measure(image)
        yield Frame(
            capture_id=new_capture_id(),
            site="bench",
            device="scope-1",
            slide="s0123456789",
            captured_at=datetime.now(UTC),
            width=encoded.width,
            height=encoded.height,
            sha256=hashlib.sha256(encoded.data).hexdigest(),
            image=encoded.data,
            camera="simulator:11",
            quality=messages.Quality(
                quality.focus, quality.brightness, quality.clipped, quality.cast, quality.tissue
            ),
            finder=FINDER_ID,
            cells=[messages.Box(*box) for box in boxes],
        )


def _shrunk(image: Image, width: int, height: int) -> Image:
    if (width, height) == CAMERA:
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True)
class Run:
    """One subject's run."""

    frames: int
    seconds: float
    """Wall time from the first publish to the last receipt."""
    cpu_s: dict[str, float]
    """CPU seconds by process in that time; `others` is what this machine did besides."""
    repeats: int
    """Frames that the broker delivered again (nats-server does after 5 s)."""
    answers: dict[int, tuple[str, int]] = field(repr=False)
    """Index of the field → suggested label, cells: the same for every honest subject."""


class Driver:
    """Publishes as stations do, for one site, and counts what comes back.

    Args:
        port: of the broker.
        login: user name and password, or None.
        site: of its own for every run, so that nothing of another run comes in.
        bases: fields; each frame takes the next, under a new capture id.
        named: whether receipts name their capture; those of `echo` do not.
    """

    def __init__(
        self,
        port: int,
        login: tuple[str, str] | None,
        site: str,
        bases: list[Frame],
        *,
        named: bool = True,
    ) -> None:
        self._named = named
        self._site, self._bases = site, bases
        self._lock = threading.Lock()
        self._queue: list[tuple[str, bytes]] = []
        self._to_come, self._came = 0, 0
        self._all_came, self._subscribed = threading.Event(), threading.Event()
        self._last = 0.0
        self._index: dict[str, int] = {}
        self._done: set[str] = set()
        self._receipts: list[bytes] = []
        self._results: list[bytes] = []
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"drive-{site}")
        if login:
            self._client.username_pw_set(*login)
        self._client.max_inflight_messages_set(STATIONS * WINDOW)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise BenchError("the broker did not take the bench's subscription within 10 s")

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def run(
        self, count: int, pids: dict[str, int], check: Callable[[], None], step: Callable[[], None]
    ) -> Run:
        """Send `count` frames and wait for their receipts.

        Args:
            count: of frames.
            pids: processes whose CPU is to be counted, by name; this one is added as `bench`.
            check: raises when a child died.
            step: called now and then while it goes on.
        """
        self._prepare(count)
        pids = pids | {"bench": os.getpid()}
        busy, before = _busy_s(), {name: cpu_s(pid) for name, pid in pids.items()}
        started = time.perf_counter()
        for _ in range(min(STATIONS * WINDOW, count)):
            self._send()
        self._wait(check, step)
        spent = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
        spent["others"] = max(0.0, _busy_s() - busy - sum(spent.values()))
        self._wait_for_results()
        repeats = len(self._receipts) - count
        return Run(count, self._last - started, spent, repeats, {})

    def answers(self) -> dict[int, tuple[str, int]]:
        """What was suggested for each field.

        Raises:
            BenchError: a frame was refused, was never stored as new, or has no result.
        """
        receipts = [msgspec.json.decode(each) for each in self._receipts]
        results = [msgspec.json.decode(each) for each in self._results]
        refused = [receipt for receipt in receipts if receipt["outcome"] != "stored"]
        if refused:
            raise BenchError(f"{len(refused)} frames were refused; the first: {refused[0]}")
        created = [receipt for receipt in receipts if not receipt["duplicate"]]
        for name, heard in (("first receipts", created), ("results", results)):
            missing = set(self._index) - {each["capture_id"] for each in heard}
            if missing:
                raise BenchError(f"{len(missing)} of {len(self._index)} frames have no {name}")
        return {self._index[r["capture_id"]]: (r["label"], len(r["cells"])) for r in results}

    def _is_new(self, payload: bytes | bytearray) -> bool:
        capture_id = msgspec.json.decode(payload)["capture_id"]
        if capture_id not in self._index or capture_id in self._done:
            return False
        self._done.add(capture_id)
        return True

    def _prepare(self, count: int) -> None:
        self._queue, self._index, self._receipts, self._results = [], {}, [], []
        for number in range(count):
            base = self._bases[number % len(self._bases)]
            device = f"scope-{number % STATIONS + 1}"
            frame = msgspec.structs.replace(
                base, capture_id=new_capture_id(), site=self._site, device=device
            )
            self._index[frame.capture_id] = number % len(self._bases)
            self._queue.append((topics.device(self._site, device, "frames"), encode_frame(frame)))
        self._queue.reverse()
        self._to_come, self._came = count, 0
        self._done = set()
        self._all_came.clear()

    def _send(self) -> None:
        with self._lock:
            if not self._queue:
                return
            topic, payload = self._queue.pop()
        self._client.publish(topic, payload, qos=1)

    def _wait(self, check: Callable[[], None], step: Callable[[], None]) -> None:
        seen, since = 0, time.monotonic()
        while not self._all_came.wait(0.25):
            check()
            step()
            if self._came != seen:
                seen, since = self._came, time.monotonic()
            elif time.monotonic() - since > STALLED_S:
                raise BenchError(
                    f"{seen} of {self._to_come} receipts, then none for {STALLED_S:.0f} s"
                )

    def _wait_for_results(self) -> None:
        """A result may come after its receipt, and must not be counted to the next run."""
        end = time.monotonic() + 10
        while len(self._results) < len(self._index) and time.monotonic() < end:
            time.sleep(0.05)

    @property
    def came(self) -> int:
        """Receipts of the run under way."""
        return self._came

    def _on_connect(self, client: paho.Client, *_: Any) -> None:  # paho's own
        receipts = topics.device(self._site, "scope-1", "receipts").replace("scope-1", "+")
        client.subscribe([(receipts, 1), (topics.all_results(self._site), 1)])

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        if not message.topic.endswith("/receipts"):
            self._results.append(bytes(message.payload))
            return
        self._receipts.append(bytes(message.payload))
        if self._named and not self._is_new(message.payload):
            return
        self._came += 1
        self._send()
        if self._came == self._to_come:
            self._last = time.perf_counter()
            self._all_came.set()


def cpu_s(pid: int) -> float:
    """CPU seconds of a process and its ended children, user and system (proc(5), 14 to 17)."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in values[11:15]) / os.sysconf("SC_CLK_TCK")


def _busy_s() -> float:
    """CPU seconds that all cores together were busy since boot (proc(5), /proc/stat)."""
    names = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, _steal = (int(value) for value in names)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
