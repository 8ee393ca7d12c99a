"""A station with its page, a broker, a worker and a store, all real; and a browser before it."""

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from browsers import SIZES, chromium, show
from page_end import page_of
from rig import Rig

from edge.cameras.simulator import SimulatorCamera
from edge.page.server import Server
from edge.stage.base import Place
from edge.station import Station, open_station


@dataclass
class Bench:
    """What stands before the technician, and where a test can reach into it."""

    station: Station
    camera: SimulatorCamera
    server: Server
    rig: Rig

    @contextmanager
    def second_page(self):
        """The same desk, served a second time: a page that may break."""
        settings = self.rig.edge_settings(page={"port": 0}, preview_fps=2)
        with page_of(self.station.desk, settings) as server:
            yield server

    def out_of_focus(self):
        self.station.microscope.stage.move_to(self._at(z=4.0))

    def in_focus(self):
        self.station.microscope.stage.move_to(self._at(z=0.0))

    def _at(self, z):
        here = self.station.microscope.stage.place
        return Place(here.x, here.y, z)


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium; without it the tests skip, and fail in CI.

    Not for longer: while Playwright runs, no other test of this thread can use asyncio.
    """
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    with ExitStack() as stack:
        rig = Rig(tmp_path_factory.mktemp("rig"), "embedded")
        stack.callback(rig.close)
        settings = rig.edge_settings(
            stage="simulator", burst=1, preview_fps=3,
            page={"port": 0, "docs_url": "https://handbook.example/"},
        )  # fmt: skip
        camera = SimulatorCamera(9, "ALL")
        station = stack.enter_context(open_station(settings, camera=camera))
        server = stack.enter_context(page_of(station.desk, settings))
        yield Bench(station, camera, server, rig)


@pytest.fixture(params=list(SIZES))
def size(request):
    """Name of a screen: phone, touch, monitor."""
    return request.param


@pytest.fixture
def at(browser, bench):
    """Opens the page on a screen; every slide is ended before and after."""
    bench.station.desk.end_slide("page")
    bench.in_focus()
    with ExitStack() as stack:

        def opened(size="touch", scheme="light", address="", *, breaks=False):
            address = address or bench.server.address
            shown = show(browser, address, size, scheme, breaks=breaks)
            return stack.enter_context(shown)

        yield opened
    bench.station.desk.end_slide("page")
