"""`leukoscope-cloud review`."""

import asyncio
import signal

from rich.console import Console

from cloud.accounts.trouble import AccountsTroubleError
from cloud.index.index import IndexTroubleError
from cloud.page.server import review
from cloud.push.keys import PushKeyError
from cloud.reviews.signing import ReviewKeyError
from cloud.settings import CloudSettings
from wire.logs import configure
from wire.web.problem import PageError


def run_review(settings: CloudSettings) -> int:
    """Serve the reading room until SIGTERM or Ctrl-C.

    Returns:
        0; 1 where a part of it cannot be used, 2 where a key or another setting cannot.
    """
    configure(json=settings.log_json)
    console, errors = Console(), Console(stderr=True)

    async def serve() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await review(settings, stop, lambda address: _say(console, address))

    try:
        asyncio.run(serve())
    except (ReviewKeyError, PushKeyError, PageError, IndexTroubleError, AccountsTroubleError) as no:
        errors.print(f"[red]leukoscope-cloud:[/red] {no}", highlight=False, soft_wrap=True)
        return 2 if isinstance(no, ReviewKeyError | PushKeyError) else 1
    return 0


def _say(console: Console, address: str) -> None:
    console.print(f"The reading room is open: {address}", highlight=False, soft_wrap=True)
    console.print("Readers are added with `leukoscope-cloud user add`.", highlight=False)
