"""The result topic, live: a table for people, lines for programs."""

import queue
import sys
from collections import deque
from datetime import datetime
from typing import Final

import structlog
from rich.console import Console
from rich.live import Live
from rich.table import Table
from uuid6 import uuid7

from cloud.settings import CloudSettings
from wire import topics
from wire.codec import MessageError, decode, encode
from wire.connection import Callbacks, Connection
from wire.messages import FrameResult
from wire.words import RESEARCH_USE_ONLY

_ROWS: Final = 25
_log = structlog.get_logger("cloud.follow")


class Follower:
    """Subscribes to results of one site or all and hands them over one by one."""

    def __init__(self, settings: CloudSettings, site: str | None) -> None:
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.state = "connecting"
        self._connection = Connection(
            settings.broker,
            f"leukoscope-follow-{uuid7()}",
            subscriptions=[topics.all_results(site)],
            callbacks=Callbacks(
                message=lambda delivery: self._arrived.put(delivery.payload), state=self._said
            ),
            persistent=False,
        )

    def __enter__(self) -> "Follower":
        self._connection.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.stop()

    def next(self, timeout_s: float) -> FrameResult | None:
        """The next result; None when none came in `timeout_s` seconds or it cannot be read."""
        try:
            return decode(self._arrived.get(timeout=timeout_s), FrameResult)
        except queue.Empty:
            return None
        except MessageError as error:
            _log.warning("result_unreadable", reason=error.reason, detail=str(error))
            return None

    def _said(self, connected: bool, reason: str) -> None:  # Callbacks.state's signature
        self.state = "listening" if connected else reason


def follow_lines(settings: CloudSettings, site: str | None) -> None:
    """Print each result as one line of JSON until interrupted."""
    with Follower(settings, site) as follower:
        while True:
            if result := follower.next(1.0):
                sys.stdout.write(encode(result).decode() + "\n")
                sys.stdout.flush()


def follow_table(settings: CloudSettings, site: str | None, console: Console) -> None:
    """Show the latest results as a live table until interrupted."""
    latest: deque[FrameResult] = deque(maxlen=_ROWS)
    total = 0
    with (
        Follower(settings, site) as follower,
        Live(console=console, auto_refresh=False) as live,
    ):
        while True:
            if result := follower.next(0.5):
                latest.appendleft(result)
                total += 1
            live.update(_table(latest, total, follower.state), refresh=True)


def _table(latest: deque[FrameResult], total: int, state: str) -> Table:
    table = Table(
        title=f"Suggested pre-classifications · {total} received · {state}",
        caption=RESEARCH_USE_ONLY,
    )
    for column in ("classified", "site/device", "slide", "field", "cells", "why", "state"):
        table.add_column(column, overflow="fold")
    for result in latest:
        table.add_row(
            _clock(result.classified_at),
            f"{result.site}/{result.device}",
            result.slide,
            f"[bold]{result.label}[/bold]",
            " ".join(f"{label} {n}" for label, n in result.counts.items() if n),
            result.explanation,
            result.state,
        )
    return table


def _clock(moment: datetime) -> str:
    return moment.astimezone().strftime("%H:%M:%S")
