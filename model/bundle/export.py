"""From a finished run to a bundle, and back: export and verify."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from model import run
from model.bundle import card
from model.bundle.fields import field_test
from model.bundle.graph import Graph, keras_answers, write_graph
from model.bundle.signing import sign
from model.config import TrainingConfig, load_config
from model.errors import ModelError
from model.labels import LABELS
from model.runtime import start_tensorflow
from wire.manifest import CARD_NAME, GRAPH_NAME, Manifest, Metric, read_manifest, write_manifest

NAME: Final = "leukoscope-acgan"

AGREEMENT: Final = 1e-4
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
        difference = _write_compared(done, folder / GRAPH_NAME)
        manifest = _manifest(done, version)
        graph = Graph(folder / GRAPH_NAME)
        if fields:
            figures = field_test(graph, manifest, fields, advance).figures
            manifest = msgspec.structs.replace(manifest, metrics=manifest.metrics + figures)
        (folder / CARD_NAME).write_text(card.write(manifest, done, beside, difference))
        write_manifest(folder, manifest)
        graph.check_against(manifest)
        if sign_with is not None:
            sign(folder, sign_with)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)
    return read_manifest(out)[0]


def _write_compared(done: Finished, path: Path) -> float:
    start_tensorflow(done.config.seed, done.config.threads)
    from model.training.acgan import ACGAN

    model = ACGAN(done.config)
    model.averaged.set_weights(run.load_weights(done.folder))
    temperature = float(done.facts["temperature"])
    write_graph(model, temperature, path)
    probe = run.load_probe(done.folder)
    difference = Graph(path).run(probe).furthest(keras_answers(model, temperature, probe))
    if not difference <= AGREEMENT:
        raise ModelError(
            f"the exported graph differs from Keras by {difference:.2g} (at most {AGREEMENT:g}): "
            "no bundle was written. Look for a layer that tf2onnx converts wrongly"
        )
    return difference


def _manifest(done: Finished, version: str) -> Manifest:
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
        metrics=done.metrics,
        trained_on=facts["trained_on"],
        command=facts["command"],
        versions=facts["versions"],
        files={},
    )
