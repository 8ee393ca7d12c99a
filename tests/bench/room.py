"""The reading room with a slide at every stage, for work on its looks.

    python tests/bench/room.py [--port N]

On a bucket in memory and in a folder that is thrown away; templates and static files are read at
every use. Sign in as ada (reader), lise (lead) or root (admin), with the password that is printed.
"""

import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from reading_room import PASSWORD, PEOPLE, served_room


def main(
    port: Annotated[int, typer.Option(help="TCP port; 0 takes any free one")] = 8741,
) -> None:
    """Serve until interrupted."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    page = {"port": port, "idle_minutes": 1440}
    with (
        tempfile.TemporaryDirectory() as folder,
        served_room(Path(folder), fresh=True, page=page) as served,
    ):
        for name in PEOPLE:
            served.room.accounts.set_password(name, PASSWORD)
        print(f"{served.address}  as {', '.join(PEOPLE)}: {PASSWORD}")
        stop.wait()


if __name__ == "__main__":
    typer.run(main)
