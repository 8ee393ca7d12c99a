"""A picture of what the generator of a bundle draws, a row a class."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from imaging.types import Cells
from model.bundle.generator import Generator
from model.errors import ModelError
from model.labels import Class
from wire.manifest import GENERATOR_NAME, Manifest, read_manifest

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CAPTION: Final = (
    "Research use only. Drawn by a generator: no cell of any patient, and no picture to learn "
    "morphology from."
)


def sample(folder: Path, out: Path, each: int, seed: int) -> Manifest:
    """Draw `each` cells of every class, as a PNG.

    Args:
        folder: of a bundle with a generator.
        out: file to write.
        each: cells of a class, 1 or more.
        seed: of the noise, which is the same for every class.

    Raises:
        ModelError: the bundle has no generator.
        wire.manifest.BundleError: it was altered.
    """
    manifest, _ = read_manifest(folder)
    if manifest.generator is None:
        raise ModelError(
            f"{folder} has no {GENERATOR_NAME}: it was exported from a run without a generator "
            "(a plain training, or one before 0.3)"
        )
    generator = Generator(folder / manifest.generator)
    classes = _drawn_classes(manifest)
    noise = np.random.default_rng(seed).standard_normal((each, generator.noise))
    rows = [
        generator.run(
            noise.astype(np.float32), np.full(each, manifest.labels.index(label), np.int32)
        )
        for label in classes
    ]
    title = f"{manifest.name} {manifest.version}: what its generator draws (seed {seed})"
    _write(out, title, classes, rows)
    return manifest


def _drawn_classes(manifest: Manifest) -> list[Class]:
    """Classes that training cells showed: of others the generator learned nothing."""
    shown = {name.rpartition(" ")[2] for name in manifest.trained_on}
    return [label for label in manifest.labels if label in shown] or list(manifest.labels)


def _write(out: Path, title: str, classes: Sequence[str], rows: Sequence[Cells]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1.2 + len(rows[0]), 1.1 + len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(rows), len(rows[0]), squeeze=False)
    for label, axes, cells in zip(classes, grid, rows, strict=True):
        for ax, cell in zip(axes, cells, strict=True):
            _show(ax, cell)
        axes[0].set_ylabel(label, rotation=0, ha="right", va="center")
    figure.suptitle(title, fontsize="medium")
    figure.supxlabel(CAPTION, fontsize="x-small")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, format="png", dpi=100)


def _show(ax: "Axes", cell: Cells) -> None:
    ax.imshow(cell, interpolation="nearest")
    ax.set_xticks([])
    ax.set_yticks([])
