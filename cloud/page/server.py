"""Serves the reading room until it is told to stop."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Final

import structlog
import uvicorn

from cloud.page.app import create_app
from cloud.page.opening import open_room
from cloud.page.room import Room
from cloud.settings import CloudSettings
from wire.web.serving import address_of, listen, server_config

_MOST_CONNECTIONS: Final = 1000
"""At a time: a browser holds one for news, and up to six while it fetches pictures."""

_THREADS: Final = 32
"""For what waits for a database: asyncio's own default would be six on a machine of two cores."""

_log = structlog.get_logger("cloud.page")


class _Server(uvicorn.Server):
    """uvicorn, without signal handlers of its own: they would end the process past our cleanup."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the caller's."""
        yield


async def review(
    settings: CloudSettings,
    stop: asyncio.Event,
    opened: Callable[[str], None] = lambda _: None,
) -> None:
    """Open the room and serve it until `stop`.

    Args:
        settings: of the cloud room.
        stop: ends it.
        opened: told the page's address once it can be loaded.

    Raises:
        PageError: the port is taken, or the certificate does not load.
        RuntimeError: see `open_room`.
    """
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "room"))
    with closing(listen(settings.page)) as listening:
        async with open_room(settings) as room:
            await serve(room, listening, stop, opened)


async def serve(
    room: Room,
    listening: socket.socket,
    stop: asyncio.Event,
    opened: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve an opened room; at the end streams end, and running requests are let end."""
    server = _Server(server_config(create_app(room), room.settings.page, _MOST_CONNECTIONS))
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    stopping = asyncio.ensure_future(stop.wait())
    address = address_of(listening, room.settings.page)
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        _log.info("room_open", address=address)
        opened(address)
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    room.news.close()
    server.should_exit = True
    await serving
    _log.info("room_closed")
