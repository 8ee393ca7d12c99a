"""From a finished run to a bundle, and back: export and verify."""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from imaging.types import Cells
from model import run
from model.bundle import card, ood
from model.bundle.fields import field_test
from model.bundle.generator import compare, write_generator
from model.bundle.graph import Graph, Head, keras_answers, write_graph
from model.bundle.made import Made
from model.bundle.quantise import quantise
from model.bundle.signing import sign
from model.bundle.sources import licences
from model.config import TrainingConfig, load_config
from model.errors import ModelError
from model.evaluation.predictions import Predictions, read_predictions
from model.evaluation.validation import Sets, conformal
from model.labels import LABELS
from model.runtime import start_tensorflow
from wire.manifest import (
    CARD_NAME,
    GENERATOR_NAME,
    GRAPH_NAME,
    INT8_NAME,
    Manifest,
    Metric,
    read_manifest,
    write_manifest,
)

if TYPE_CHECKING:
    from model.training.acgan import ACGAN

NAME: Final = "leukoscope-acgan"

AGREEMENT: Final = 1e-5
"""Largest difference between graph and Keras at which a bundle is written."""


@dataclass(frozen=True)
class Finished:
    """What an export needs of a run folder."""

    folder: Path
    config: TrainingConfig
    facts: dict[str, Any]

    @property
    def metrics(self) -> list[Metric]:
        """Its figures."""
        return msgspec.convert(self.facts["metrics"], list[Metric])


def finished(folder: Path) -> Finished:
    """Read a run folder.

    Raises:
        ModelError: the training there has not ended.
    """
    facts = run.load_facts(folder)
    return Finished(folder, load_config(folder), facts)


def export(
    done: Finished,
    beside: Sequence[Finished],
    out: Path,
    version: str,
    fields: int = 0,
    advance: Callable[[int, int], None] = lambda done, total: None,
    *,
    sign_with: Path | None = None,
) -> Manifest:
    """Write a bundle, after comparing its graph with Keras on the run's probe.

    Args:
        done: the run to export.
        beside: control runs whose figures the card shows, such as a plain training.
        out: folder to write; one that is there already is replaced, by a complete one only.
        version: of the bundle.
        fields: of each kind of simulated slide to test the graph on, for the card; 0 for none.
        advance: is told how many of them are done and how many there will be.
        sign_with: private key (PEM) that signs it; None leaves it unsigned.

    Returns:
        The manifest as written.

    Raises:
        ModelError: the graph differs from Keras by more than AGREEMENT, or `out` is something
            else than a bundle.
    """
    if out.exists() and not (out / "manifest.json").exists() and any(out.iterdir()):
        raise ModelError(f"{out} holds something else than a bundle: give --out another folder")
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".bundle-") as building:
        folder = Path(building) / "bundle"
        folder.mkdir()
        manifest, made = _fill(done, folder, version)
        graph = Graph(folder / GRAPH_NAME)
        if fields:
            figures = field_test(graph, manifest, fields, advance).figures
            manifest = msgspec.structs.replace(manifest, metrics=manifest.metrics + figures)
        made = replace(made, signed=sign_with is not None)
        (folder / CARD_NAME).write_text(card.write(manifest, done, beside, made))
        write_manifest(folder, manifest)
        graph.check_against(manifest)
        if sign_with is not None:
            sign(folder, sign_with)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return read_manifest(out)[0]


def _fill(done: Finished, folder: Path, version: str) -> tuple[Manifest, Made]:
    """Write the graphs, each compared with what it came from."""
    start_tensorflow(done.config.seed, done.config.threads)
    from model.training.acgan import ACGAN

    measured = ood.load(done.folder / run.OOD)
    head = Head(float(done.facts["temperature"]), measured.ruler if measured else None)
    model = ACGAN(done.config)
    weights = run.load_weights(done.folder)
    model.averaged.set_weights(weights)
    probe = run.load_probe(done.folder)
    difference = _write_compared(model, head, folder / GRAPH_NAME, probe)
    generator = _write_generator(model, done, folder)
    sets = _sets(done)
    manifest = msgspec.structs.replace(
        _manifest(done, version, weights),
        generator=None if generator is None else GENERATOR_NAME,
        ood_score=measured.name if measured else "",
        ood_above=measured.threshold() if measured else None,
        conformal_level=sets.level if sets else None,
        conformal_threshold=sets.threshold if sets else None,
    )
    quantised = quantise(folder, manifest, probe)
    manifest = msgspec.structs.replace(manifest, int8=INT8_NAME if quantised.written else None)
    kept = _kept(done, Graph(folder / GRAPH_NAME), manifest)
    return manifest, Made(difference, len(probe), quantised, generator, sets, kept, signed=False)


def _write_compared(model: "ACGAN", head: Head, path: Path, probe: Cells) -> float:
    write_graph(model, head, path)
    noise = np.random.default_rng(0).integers(0, 256, probe.shape, np.uint8)
    cells = np.concatenate([probe, noise])
    difference = Graph(path).run(cells).furthest(keras_answers(model, head, cells))
    if not difference <= AGREEMENT:
        raise ModelError(
            f"the exported graph differs from Keras by {difference:.2g} (at most {AGREEMENT:g}): "
            "no bundle was written. Look for a layer that tf2onnx converts wrongly"
        )
    return difference


def _write_generator(model: "ACGAN", done: Finished, folder: Path) -> int | None:
    """Write the generator where the run has one; its largest difference in grey levels."""
    if not (done.folder / run.GENERATOR).exists():
        return None
    model.generator.set_weights(run.load_weights(done.folder, run.GENERATOR))
    path = folder / GENERATOR_NAME
    write_generator(model.generator, path)
    return compare(model.generator, path, run.PROBE_CELLS, len(LABELS))


def _manifest(done: Finished, version: str, weights: Sequence[npt.NDArray[np.float32]]) -> Manifest:
    facts, config = done.facts, done.config
    return Manifest(
        name=NAME,
        version=version,
        labels=list(LABELS),
        height=config.size,
        width=config.size,
        preprocessing=config.preprocessing,
        temperature=facts["temperature"],
        abstain_below=facts["abstain_below"],
        data_digest=facts["data_digest"],
        weights_digest=_weights_digest(weights),
        metrics=done.metrics,
        trained_on=facts["trained_on"],
        licences=licences(facts["trained_on"]),
        command=facts["command"],
        versions=facts["versions"],
        files={},
    )


def _sets(done: Finished) -> Sets | None:
    """Conformal sets: threshold by the validation part, coverage on the test part."""
    path = done.folder / run.VALIDATION
    if not path.exists():
        return None
    return conformal(read_predictions(path), _tested(done))


def _tested(done: Finished) -> Predictions:
    held_out = read_predictions(done.folder / run.PREDICTIONS)
    return held_out.take(held_out.parts == "test")


def _kept(done: Finished, graph: Graph, manifest: Manifest) -> list[ood.Kept]:
    """How many held-out cells of each source lie below the threshold."""
    path = done.folder / run.PICTURES
    if manifest.ood_above is None or not path.exists():
        return []
    cells = np.load(path, mmap_mode="r")
    scores = graph.run(cells).ood
    sources = read_predictions(done.folder / run.PREDICTIONS).sources
    return [] if scores is None else ood.kept(scores, sources, manifest.ood_above)


def _weights_digest(weights: Sequence[npt.NDArray[np.float32]]) -> str:
    digest = hashlib.sha256()
    for one in weights:
        digest.update(np.ascontiguousarray(one, "<f4").tobytes())
    return digest.hexdigest()
