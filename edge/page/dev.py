"""`python -m edge.page.dev`: the page on a simulated microscope, for work on its looks.

A station in a folder that is thrown away, without a broker: captures wait for ever. Templates and
static files are read at every use.
"""

import signal
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from edge.cameras.open import open_camera
from edge.desk import Desk
from edge.microscope import Microscope
from edge.page.server import serve
from edge.settings import EdgeSettings
from edge.spool import Spool
from edge.stage.open import open_stage
from wire.logs import configure


def main(
    port: Annotated[int, typer.Option(help="TCP port; 0 takes any free one")] = 8731,
    camera: Annotated[str, typer.Option(help="see the setting")] = "simulator:7",
    stage: Annotated[str, typer.Option(help="see the setting")] = "simulator",
) -> None:
    """Serve until interrupted."""
    configure(json=False)
    with tempfile.TemporaryDirectory() as folder:
        settings = EdgeSettings(
            site="dev", device="scope-dev", data_dir=Path(folder), camera=camera, stage=stage,
            page={"port": port},
        )  # fmt: skip
        opened = open_camera(settings.camera)
        microscope = Microscope(opened, open_stage(settings.stage, opened))
        with (
            closing(microscope),
            closing(Spool(settings.spool_file)) as spool,
            closing(Desk(settings, microscope, spool)) as desk,
        ):
            _serve(desk, settings)


def _serve(desk: Desk, settings: EdgeSettings) -> None:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server = serve(desk, settings, fresh=True)
    stop.wait()
    server.stop()


if __name__ == "__main__":
    typer.run(main)
