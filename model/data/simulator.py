"""Simulated cells: fields as the edge would send them, and single cells of every kind."""

import hashlib
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

import numpy as np

from imaging.box import Box, overlap
from imaging.encode import encode_within
from imaging.simulator import KINDS, CellKind, DrawnCell, Optics, SlideKind, Smear, render_cell
from imaging.types import Image
from model import labels
from model.data.cells import Advance, OneCell
from model.data.cutting import Cutter, opened
from model.data.finding import all_boxes, central_box
from model.labels import UNKNOWN

SOURCE: Final = "simulator"

SAME: Final = 0.4
"""Intersection over union from which a found box is taken for a drawn cell."""

VIEWS: Final = 4
"""Fields taken of each slide."""

CELLS_PER_FIELD: Final = 4
"""About as many white cells a field shows; only how far the work is shared out follows from it."""

SEED_STEP: Final = 100_000
"""Slides of one split seed lie between two multiples of this, so seeds share no slide."""

SLIDES: Final[tuple[SlideKind, ...]] = ("ALL", "AML", "Normal")


Task: TypeAlias = Callable[[], list[OneCell]]


@dataclass(frozen=True)
class Seen:
    """A field as it arrives in the cloud, with the truth about each cell that was found."""

    image: Image
    """uint8, H×W×3, RGB."""
    cells: tuple[tuple[Box, DrawnCell], ...]
    """The box the finder gave, and the cell drawn there."""
    missed: int
    """Drawn cells that no box meets."""
    invented: int
    """Boxes that meet no drawn cell."""


@dataclass(frozen=True)
class SimulatorSource:
    """About `count` cells, half from fields, half drawn one by one in every stain.

    Fields give what a demonstration shows; single cells give every kind equally often, each on a
    slide of its own. Cells that the finder misses are left out, as the cloud never sees them.
    """

    count: int
    seed: int
    threads: int = 2
    labelled: bool = True

    def fingerprint(self) -> Iterator[str]:
        """See `CellSource.fingerprint`; the code that draws is in every fingerprint."""
        yield f"{self.count} {self.seed} {self.labelled}"

    def cells(self, cutter: Cutter, advance: Advance) -> Iterator[OneCell]:
        """Draw, find and cut; see `CellSource.cells`. A slide is a group."""
        half = max(1, self.count // 2)
        slides = max(len(SLIDES), round(half / (VIEWS * CELLS_PER_FIELD)))
        kinds = list(KINDS)
        first = self.seed * SEED_STEP
        tasks: list[Task] = [
            partial(_slide, first + n, SLIDES[n % len(SLIDES)], cutter) for n in range(slides)
        ]
        tasks += [
            partial(_single, _kind(kinds, n), first + slides + n, cutter) for n in range(half)
        ]
        for done, found in enumerate(self._results(tasks), 1):
            yield from found if self.labelled else [replace(c, label=UNKNOWN) for c in found]
            advance(done, len(tasks))

    def _results(self, tasks: Sequence[Task]) -> Iterator[list[OneCell]]:
        """In the order of the tasks; by processes, as drawing holds Python's lock."""
        if self.threads == 1:
            yield from (task() for task in tasks)
            return
        with ProcessPoolExecutor(self.threads, multiprocessing.get_context("spawn")) as pool:
            yield from pool.map(_call, tasks, chunksize=4)


def _call(task: Task) -> list[OneCell]:
    return task()


def look(smear: Smear, number: int) -> Seen:
    """Take the field `number` of a slide, encode it as the edge does, and find its cells."""
    draw = np.random.default_rng([smear.seed, 77, number])
    x, y = (float(v) for v in draw.uniform(0, 20_000, 2))
    field = smear.field(x, y, optics=_optics(draw))
    sent = encode_within(field.image, int(draw.integers(70, 160)) * 1024)
    image = opened(np.frombuffer(sent.data, np.uint8))
    boxes = all_boxes(image)
    return _matched(image, boxes, [_shrunk(cell, sent.scale) for cell in field.cells])


def _matched(image: Image, boxes: Sequence[Box], drawn: Sequence[DrawnCell]) -> Seen:
    """Pair each drawn cell with the box that overlaps it most, and at least by SAME."""
    pairs = []
    for cell in drawn:
        best = max(boxes, key=lambda box: overlap(box, cell.box), default=None)
        if best is not None and overlap(best, cell.box) >= SAME:
            pairs.append((best, cell))
    taken = {box for box, _ in pairs}
    return Seen(image, tuple(pairs), len(drawn) - len(pairs), len(set(boxes) - taken))


def _slide(seed: int, kind: SlideKind, cutter: Cutter) -> list[OneCell]:
    smear = Smear(seed, kind)
    return [cell for number in range(VIEWS) for cell in _of_field(smear, number, cutter)]


def _of_field(smear: Smear, number: int, cutter: Cutter) -> Iterator[OneCell]:
    seen = look(smear, number)
    origin = hashlib.sha256(seen.image.tobytes()).hexdigest()
    for place, (box, drawn) in enumerate(seen.cells):
        key = f"field/{smear.kind}/{smear.seed}/{number}/{place}"
        yield OneCell(
            cells=cutter.cut(seen.image, box, key),
            label=labels.number(drawn.label),
            source=SOURCE,
            group=f"{SOURCE}/{smear.seed}",
            kind=drawn.kind,
            key=key,
            origin=origin,
        )


def _single(kind: CellKind, seed: int, cutter: Cutter) -> list[OneCell]:
    drawn = render_cell(kind, seed)
    key = f"single/{kind}/{seed}"
    box = None if cutter.whole else central_box(drawn.image)
    return [
        OneCell(
            cells=cutter.cut(drawn.image, box, key),
            label=labels.number(drawn.label),
            source=SOURCE,
            group=f"{SOURCE}/{seed}",
            kind=kind,
            key=key,
            origin=hashlib.sha256(drawn.image.tobytes()).hexdigest(),
        )
    ]


def _kind(kinds: Sequence[CellKind], number: int) -> CellKind:
    """Each class as often as another, and each kind within it: there is one kind of each blast."""
    blasts = [kind for kind in kinds if KINDS[kind].label != "Normal"]
    others = [kind for kind in kinds if KINDS[kind].label == "Normal"]
    turn, place = divmod(number, len(blasts) + 1)
    return blasts[place] if place < len(blasts) else others[turn % len(others)]


def _optics(draw: np.random.Generator) -> Optics:
    """A lamp, lens and camera in fair order: what the quality gate lets pass."""
    return Optics(
        defocus_um=abs(float(draw.normal(0, 0.12))),
        exposure=float(draw.uniform(0.85, 1.1)),
        vignetting=float(draw.uniform(0, 0.1)),
        noise=float(draw.uniform(0.6, 2.5)),
        dust_seed=int(draw.integers(1 << 30)),
        stain_strength=float(draw.uniform(0.85, 1.15)),
        stain_hue=float(draw.uniform(-0.4, 0.4)),
    )


def _shrunk(cell: DrawnCell, scale: float) -> DrawnCell:
    return cell._replace(box=Box(*(round(side * scale) for side in cell.box)))
