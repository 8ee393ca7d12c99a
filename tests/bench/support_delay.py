"""A store that is some way off: passes TCP on, and holds each answer back until it is due.

`python tests/bench/support_delay.py LISTEN_PORT STORE_PORT MILLISECONDS REPORT_FILE`

Each answer leaves MILLISECONDS after its request's last byte came, so that a request takes about
that long in all, whatever part of it the store itself needed; an answer that comes later than that
passes at once. `100 Continue` is no answer and passes at once too. Connections are kept alive and
any number runs side by side. HTTP is not parsed: the store's clients here do not pipeline, so
what follows a request on its connection is its answer. At SIGTERM the report is written as JSON.
"""

import asyncio
import json
import resource
import signal
import socket
import statistics
import sys
from pathlib import Path
from typing import cast


class Answers:
    """How long answers took, in seconds from the request's last byte."""

    def __init__(self) -> None:
        self.store: list[float] = []
        """When the store had answered."""
        self.whole: list[float] = []
        """When the answer was passed on."""

    def report(self) -> dict[str, float]:
        """Milliseconds, and what this process cost."""
        spent = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "requests": len(self.whole),
            "cpu_ms": round((spent.ru_utime + spent.ru_stime) / max(1, len(self.whole)) * 1000, 3),
            "store_ms_p50": _ms(self.store, 0.5),
            "store_ms_p95": _ms(self.store, 0.95),
            "answer_ms_p50": _ms(self.whole, 0.5),
            "answer_ms_p95": _ms(self.whole, 0.95),
        }


class Near(asyncio.Protocol):
    """The client's side of one connection."""

    def __init__(self, store_port: int, delay_s: float, answers: Answers) -> None:
        self._store_port = store_port
        self.delay_s = delay_s
        self.answers = answers
        self.asked_at = 0.0
        self.answered = True
        self.loop = asyncio.get_running_loop()
        self._far: asyncio.Transport | None = None
        self._waiting: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        _no_delay(self.transport)
        self._opening = self.loop.create_task(self._open())

    async def _open(self) -> None:
        transport, _ = await self.loop.create_connection(
            lambda: Far(self), "127.0.0.1", self._store_port
        )
        _no_delay(transport)
        transport.writelines(self._waiting)
        self._far = transport

    def data_received(self, data: bytes) -> None:
        self.asked_at = self.loop.time()
        self.answered = False
        if self._far is None:
            self._waiting.append(data)
        else:
            self._far.write(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self._opening.cancel()
        if self._far is not None:
            self._far.close()


class Far(asyncio.Protocol):
    """The store's side of one connection."""

    def __init__(self, near: Near) -> None:
        self._near = near

    def data_received(self, data: bytes) -> None:
        near = self._near
        if data.startswith(b"HTTP/1.1 100"):
            near.transport.write(data)
            return
        now = near.loop.time()
        due = max(now, near.asked_at + near.delay_s)
        if not near.answered:
            near.answered = True
            near.answers.store.append(now - near.asked_at)
            near.answers.whole.append(due - near.asked_at)
        near.loop.call_at(due, near.transport.write, data)

    def connection_lost(self, _error: Exception | None) -> None:
        near = self._near
        near.loop.call_at(near.asked_at + near.delay_s, near.transport.close)


async def serve(listen_port: int, store_port: int, delay_s: float, report: Path) -> None:
    """Pass on until SIGTERM."""
    loop, stop, answers = asyncio.get_running_loop(), asyncio.Event(), Answers()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(
        lambda: Near(store_port, delay_s, answers), "127.0.0.1", listen_port, backlog=256
    )
    await stop.wait()
    server.close()
    report.write_text(json.dumps(answers.report()))


def _no_delay(transport: asyncio.Transport) -> None:
    transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _ms(seconds: list[float], share: float) -> float:
    if len(seconds) < 2:
        return 0.0
    return round(statistics.quantiles(seconds, n=100)[round(share * 100) - 1] * 1000, 2)


if __name__ == "__main__":
    listen, store, milliseconds, file = sys.argv[1:]
    asyncio.run(serve(int(listen), int(store), float(milliseconds) / 1000, Path(file)))
