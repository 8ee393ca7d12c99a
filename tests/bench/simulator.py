"""How long a simulated field takes on one core: `python tests/bench/simulator.py`.

Every field is new, so white cells are drawn, not taken from the slide's cache. The figures are CPU
time, which is wall time on an idle core: a busy machine does not move them much.
"""

import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from time import process_time

import cv2

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from imaging.simulator import Optics, SlideKind, Smear, iter_cells
from imaging.simulator.optics import expose
from imaging.simulator.places import holds, window_at
from imaging.simulator.platelets import platelets_in
from imaging.simulator.scene import paint, truth

KINDS: tuple[SlideKind, ...] = ("Normal", "ALL", "AML")
STAGES = ("place", "white cells", "paint", "expose", "truth")
FIELDS = 40


def main() -> None:
    """Print a table: median milliseconds of CPU time, by kind of slide and stage."""
    cv2.setNumThreads(1)
    Smear(0, "ALL").field(0, 0)  # textures and red cells are drawn once per process
    print(f"{'1280×960, median CPU ms':24}" + "".join(f"{kind:>9}" for kind in KINDS))
    whole = [median(_fields(kind)) for kind in KINDS]
    print(f"{'field':24}" + "".join(f"{ms:9.1f}" for ms in whole))
    rows = [_stages(kind) for kind in KINDS]
    for number, stage in enumerate(STAGES):
        print(f"  {stage:22}" + "".join(f"{median(row[number]):9.1f}" for row in rows))
    start, count = process_time(), 0
    for _ in iter_cells(1, 10):
        count += 1
    print(f"iter_cells: {count / (process_time() - start):.1f} cells per second of CPU")


def _fields(kind: SlideKind) -> list[float]:
    smear, times = Smear(1, kind), []
    for number in range(FIELDS):
        start = process_time()
        smear.field(60.0 * number, 0)
        times.append(1e3 * (process_time() - start))
    return times


def _stages(kind: SlideKind) -> list[list[float]]:
    """The same steps as `Smear.field`, each with its clock."""
    smear = Smear(2, kind)
    times: list[list[float]] = [[] for _ in STAGES]
    for number in range(FIELDS):
        window = window_at(60.0 * number, 0, 1280, 960)
        clock = [process_time()]
        spots = smear._whites.within(window, 33)
        reds = smear._reds.around(window, spots)
        small = platelets_in(window, smear.seed, 0.5)
        clock.append(process_time())
        shown = [s for s in spots if holds(window, 0.7 * s.diameter, s.x, s.y)]
        whites = [smear._drawn(s) for s in shown]
        clock.append(process_time())
        stack = paint(reds, small, whites, window)
        clock.append(process_time())
        expose(stack, smear.stain, Optics(), 1280, 960, (1, number))
        clock.append(process_time())
        truth(whites, window, 1280, 960)
        clock.append(process_time())
        for stage, (begin, end) in enumerate(pairwise(clock)):
            times[stage].append(1e3 * (end - begin))
    return times


if __name__ == "__main__":
    main()
