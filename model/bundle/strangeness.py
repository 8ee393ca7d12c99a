"""How well strangers are found: of a run, every candidate score; of a bundle, what it answers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from imaging.simulator import KINDS, render_cell
from imaging.types import Cells
from model import run
from model.bundle import ood
from model.bundle.graph import Graph
from model.bundle.strangers import EACH, platelets_to_learn, strangers
from model.config import TrainingConfig, load_config
from model.data.cutting import Cutter
from model.data.finding import central_box
from model.data.simulator import SOURCE as SIMULATOR
from model.errors import ModelError
from model.evaluation.measures import Numbers
from model.evaluation.predictions import read_predictions
from model.runtime import start_tensorflow
from wire.manifest import GRAPH_NAME, read_manifest

if TYPE_CHECKING:
    from model.training.acgan import ACGAN
    from model.training.study import Report

FIRST_CELL: Final = 1_970_000_000
"""Seeds of single cells from here on are drawn for no training."""


class OfRun(msgspec.Struct, frozen=True):
    """Every candidate score of a run, measured."""

    detections: list[ood.Detection]
    kept: dict[str, list[ood.Kept]]
    """By score: held-out cells of each source below the threshold of KEEP."""


class Answered(msgspec.Struct, frozen=True):
    """What a bundle makes of one kind of stranger."""

    strangers: str
    n: int
    found: float
    """Share above `ood_above`."""
    unidentified: float
    """Share answered `unidentified`, for this or for a low probability."""


def of_run(
    folder: Path, data: Path | None, report: "Report", learn_from: Path | None = None
) -> OfRun:
    """Compare the candidate scores on strangers and on the run's held-out cells.

    A run without `ood.npz` gets one: its training cells are read again.

    Args:
        folder: of a finished run.
        data: folder with `bccd` and `pbc`; None leaves their strangers out.
        report: is told how far it is.
        learn_from: folder with `pbc`, half of whose platelets the run's `ood.npz` is to know as
            strangers from now on; None leaves it as it is.

    Raises:
        ModelError: the run is not finished, or its data have changed since; there are no
            platelets to learn.
    """
    facts, config = run.load_facts(folder), load_config(folder)
    start_tensorflow(config.seed, config.threads)
    from model.training.acgan import ACGAN
    from model.training.features import seen

    model = ACGAN(config)
    model.averaged.set_weights(run.load_weights(folder))
    measured = ood.load(folder / run.OOD) or _measure(model, config, folder, facts, report)
    if learn_from is not None:
        platelets = seen(model, platelets_to_learn(learn_from, config.size)).features
        measured = ood.learn_strangers(measured, platelets)
        ood.save(folder / run.OOD, measured)
    temperature = float(facts["temperature"])

    def scored(cells: Cells) -> dict[str, Numbers]:
        return ood.scores(seen(model, cells), measured.ruler, temperature)

    validation = ood.scores(measured.validation, measured.ruler, temperature)
    real = measured.sources != SIMULATOR
    chosen = real if real.any() else ~real
    validation = {name: values[chosen] for name, values in validation.items()}
    pictures = np.load(folder / run.PICTURES, mmap_mode="r")
    rows = read_predictions(folder / run.PREDICTIONS)
    said = scored(pictures)
    inside = rows.parts == "test"
    strange = [(name, scored(cells)) for name, cells in strangers(data, pictures[inside])]
    return OfRun(
        ood.detections(validation, {k: v[inside] for k, v in said.items()}, strange),
        {
            name: ood.kept(values, rows.sources, ood.threshold(validation[name]))
            for name, values in said.items()
        },
    )


def of_bundle(
    folder: Path, data: Path | None, advance: Callable[[int, int], None]
) -> list[Answered]:
    """What a bundle answers to strangers, as the worker would. Needs no TensorFlow.

    Raises:
        wire.manifest.BundleError: it was altered.
        ModelError: it has no `ood` output.
    """
    manifest, _ = read_manifest(folder)
    if manifest.ood_above is None:
        raise ModelError(f"{folder} has no ood output: export it again, from a run with ood.npz")
    graph = Graph(folder / GRAPH_NAME)
    told = []
    for done, (name, cells) in enumerate(strangers(data, _drawn(manifest.height)), 1):
        said = graph.run(cells)
        if said.ood is None:
            raise ModelError(f"{folder / GRAPH_NAME} gives no ood score")
        found = float((said.ood > np.float32(manifest.ood_above)).mean())
        answers = said.suggestions(manifest.abstain_below, manifest.ood_above)
        unidentified = float((answers < 0).mean())
        told.append(Answered(name, len(cells), round(found, 4), round(unidentified, 4)))
        advance(done, done)
    return told


def _measure(
    model: "ACGAN", config: TrainingConfig, folder: Path, facts: dict[str, str], report: "Report"
) -> ood.Measured:
    from model.training.features import measured
    from model.training.study import read

    mixture = read(config, report)
    if mixture.digest != facts["data_digest"]:
        raise ModelError(
            f"{folder} has no {run.OOD}, and its data have changed since it was trained (digest "
            f"{mixture.digest[:12]}, was {facts['data_digest'][:12]}): train anew"
        )
    found = measured(model, mixture)
    ood.save(folder / run.OOD, found)
    return found


def _drawn(size: int) -> Cells:
    """White cells to blur, from the simulator, of every kind."""
    cutter = Cutter(size, 1, 0)
    kinds = sorted(KINDS)
    cells = []
    for number in range(EACH):
        image = render_cell(kinds[number % len(kinds)], FIRST_CELL + number).image
        cells.append(cutter.cut(image, central_box(image), str(number))[0])
    return np.stack(cells)
