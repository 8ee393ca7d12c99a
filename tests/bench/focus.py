"""What our sharpness costs and which picture it chooses: `python tests/bench/focus.py [STACKS]`.

Against the variance of the Laplacian of the whole picture. Times are CPU time of one thread, of
pictures that are not in the cache; a step of a stack is a picture at another height (simulator,
2592×1944) or blurred by another amount (BCCD). The constants of `sharpness` were chosen on seeds
and files below 100; those from 100 on are shown.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from statistics import median
from time import process_time

import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from focus_stacks import Stack, blurred, of_colour, simulated, variance_of_laplacian

from edge.focus.measure import sharpness
from imaging.decode import decode
from imaging.simulator import Smear
from imaging.types import Image

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("LEUKOSCOPE_DATA", ROOT.parent / "shared" / "data"))
FULL = (2592, 1944)
HELD_OUT = 100


def main() -> None:
    """Print cost, agreement, and where the two differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stacks", nargs="?", type=int, default=100)
    parser.add_argument("--small", action="store_true", help="stacks of 1280×960, 4 × quicker")
    given = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{platform.processor() or platform.machine()}, {_model()}, OpenCV {cv2.__version__}\n")
    cost()
    size = (1280, 960) if given.small else FULL
    print(f"\n{'stacks':46}{'agree':>9}{'VoL wrong':>11}{'ours wrong':>12}   differences")
    seeds = range(HELD_OUT, HELD_OUT + given.stacks)
    row(f"simulator {size[0]}×{size[1]}", (simulated(s, size) for s in seeds), "µm")
    row("BCCD 640×480, blurred", bccd(given.stacks), "px")
    few = seeds[: max(1, given.stacks // 2)]
    row("simulator 1280×960, noise 8 grey levels", (simulated(s, noise=8) for s in few), "µm")
    row("simulator 1280×960, lamp flickers 1 %", (simulated(s, flicker=0.01) for s in few), "µm")
    row("simulator 1280×960, lamp flickers 5 %", (simulated(s, flicker=0.05) for s in few), "µm")
    row("BCCD, noise 8 grey levels", bccd(len(few), noise=8), "px")


def cost() -> None:
    """Median milliseconds of both on the full frame, and their ratio."""
    images = [Smear(seed, "ALL").field(200, 100, *FULL).image for seed in range(4)]
    greys = [np.asarray(cv2.cvtColor(i, cv2.COLOR_RGB2GRAY), np.uint8) for i in images]
    rival = _milliseconds(variance_of_laplacian, greys, 40)
    numpys = _milliseconds(lambda grey: float(cv2.Laplacian(grey, cv2.CV_64F).var()), greys, 20)
    ours = _milliseconds(sharpness, images, 400)
    print(f"variance of Laplacian, {FULL[0]}×{FULL[1]}, grey given  {rival:8.3f} ms")
    print(f"  the same with numpy's var()                {numpys:8.3f} ms")
    print(f"sharpness, {FULL[0]}×{FULL[1]}, colour given             {ours:8.3f} ms")
    print(f"ratio {rival / ours:.0f} (to numpy's {numpys / ours:.0f}); at least 30 is asked for")


def _milliseconds(measure: Callable[[Image], float], images: list[Image], times: int) -> float:
    taken = []
    for image, _ in zip(cycle(images), range(times), strict=False):
        before = process_time()
        measure(image)
        taken.append(1000 * (process_time() - before))
    return median(taken)


def row(name: str, stacks: Iterable[Stack], unit: str) -> None:
    """Which picture each measure chooses, against each other and against the truth."""
    count = agree = wrong = rival_wrong = 0
    differences = []
    for stack in stacks:
        ours = int(np.argmax([sharpness(image) for image in stack.images]))
        rival = int(np.argmax([of_colour(image) for image in stack.images]))
        count += 1
        agree += ours == rival
        wrong += ours != stack.sharpest
        rival_wrong += rival != stack.sharpest
        if ours != rival:
            differences.append(f"ours +{stack.cost(ours):.3f}, VoL +{stack.cost(rival):.3f} {unit}")
    if count:
        said = "; ".join(differences[:4]) + ("; …" if len(differences) > 4 else "")
        print(f"{name:46}{agree:5}/{count:<3}{rival_wrong:11}{wrong:12}   {said}", flush=True)


def bccd(count: int, noise: float = 1.5) -> Iterable[Stack]:
    """Stacks of real fields; none, and a reason, where they are not."""
    files = sorted((DATA / "bccd" / "images").glob("*.jpg"))[HELD_OUT : HELD_OUT + count]
    if not files:
        print(f"BCCD: skipped, no real images at {DATA} (set LEUKOSCOPE_DATA)")
    return (blurred(decode(f.read_bytes()), s, noise) for s, f in enumerate(files))


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return "unknown processor"
    return next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), "")


if __name__ == "__main__":
    main()
