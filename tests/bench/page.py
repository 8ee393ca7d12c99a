"""What the page costs: CPU of the preview and the events, without the camera and the renderer.

    python tests/bench/page.py [seconds]

The desk shows pictures that were drawn before, so that what is measured is encoding, the guide of
the hand, the needles, rendering the parts, and sending. Viewers are processes of their own.
"""

import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1] / "support")]

from page_end import Browser, page_of, page_settings  # noqa: E402  # found by the line above
from stand_in_desk import StandInDesk  # noqa: E402  # likewise

from edge.cameras.simulator import SimulatorCamera  # noqa: E402  # likewise

FPS = 10
READ = """
import sys, urllib.request as http
stream = http.urlopen(http.Request(sys.argv[1], headers={"Cookie": sys.argv[2]}))
while stream.read1(65536): pass
"""


class Pictured(StandInDesk):
    """Shows the same few fields again and again."""

    def __init__(self, folder):
        super().__init__(data_dir=folder)
        camera = SimulatorCamera(7, width=640, height=480)
        self._pictures = cycle([camera.capture().image for _ in range(8)])

        self._shown = next(self._pictures)
        self.encoded = 0

    def preview(self):
        return self._shown

    def snapshot(self):
        self.encoded += 1
        self._shown = next(self._pictures)
        return super().snapshot()


def cost(server, desk, paths, seconds):
    """CPU seconds a second of this process, and pictures taken a second, while paths are read."""
    browser = Browser(server.address)
    browser.open()
    cookie = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
    readers = [
        subprocess.Popen([sys.executable, "-c", READ, f"{server.address}{path}", cookie])
        for path in paths
    ]
    time.sleep(2)
    encoded, cpu, began = desk.encoded, time.process_time(), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    used, shown = (time.process_time() - cpu) / took, (desk.encoded - encoded) / took
    for reader in readers:
        reader.kill()
        reader.wait()
    browser.close()
    return used, shown


def main(seconds):
    with tempfile.TemporaryDirectory() as folder:
        desk = Pictured(Path(folder))
        settings = page_settings(Path(folder)).model_copy(update={"preview_fps": float(FPS)})
        with page_of(desk, settings) as server:
            for what, paths in (
                ("nobody looks", []),
                ("one page, events only", ["/events"]),
                ("one preview", ["/preview.mjpeg"]),
                ("one page, with preview", ["/events", "/preview.mjpeg"]),
                ("four pages, with preview", ["/events", "/preview.mjpeg"] * 4),
            ):
                used, fps = cost(server, desk, paths, seconds)
                each = f"{1000 * used / fps:6.2f} ms a picture at {fps:.1f}/s" if fps else ""
                print(f"{what:26} {used:7.2%} of a core {each}")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
