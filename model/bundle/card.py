"""The model card: written from the facts of a run, so that it cannot praise more than was measured.

Its shape is that of Hugging Face model cards: a YAML header with a model index, then sections.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from model.bundle import card_parts
from model.bundle.made import Made
from model.bundle.sources import SOURCES, UNKNOWN, names
from wire.manifest import Manifest, Metric

if TYPE_CHECKING:
    from model.bundle.export import Finished

RESEARCH_USE_ONLY: Final = (
    "**Research use only.** This network suggests a pre-classification of white cells. It is not "
    "a medical device, was never tested on patients prospectively, and must not be used in "
    "diagnostic procedures. A person decides."
)

TYPES: Final = {
    "balanced accuracy": "accuracy",
    "recall": "recall",
    "AUROC": "roc_auc",
    "expected calibration error": "ece",
    "coverage": "coverage",
    "accuracy": "accuracy",
    "agreement": "accuracy",
}
"""Hugging Face's name of a metric by how ours begins."""


def write(manifest: Manifest, done: "Finished", beside: "Sequence[Finished]", made: Made) -> str:
    """The card as Markdown.

    Args:
        manifest: of the bundle.
        done: the run exported.
        beside: control runs.
        made: what the export measured.
    """
    sections = (
        _header(manifest),
        RESEARCH_USE_ONLY,
        _what(manifest, done),
        _trained_on(manifest),
        card_parts.learned(manifest),
        card_parts.cannot(manifest),
        _figures(manifest),
        card_parts.beside(manifest, beside),
        card_parts.answers(manifest, made),
        card_parts.files(manifest, made),
        _made(manifest, done, made),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _header(manifest: Manifest) -> str:
    """YAML; every text is written as JSON, which YAML reads and which needs no other escaping."""
    lines = [
        "license: apache-2.0",
        "library_name: onnx",
        "pipeline_tag: image-classification",
        "tags: [hematology, white-blood-cells, leukemia, ac-gan, onnx, research-use-only]",
        f"datasets: {json.dumps(names(manifest.trained_on))}",
        f"metrics: {json.dumps(sorted({_type(metric) for metric in manifest.metrics}))}",
        "model-index:",
        f"- name: {json.dumps(manifest.name)}",
        "  results:",
    ]
    for metric in manifest.metrics:
        lines += _result(metric)
    if not manifest.metrics:
        lines[-1] += " []"
    return "\n".join(["---", *lines, "---", "", f"# {manifest.name} {manifest.version}"])


def _result(metric: Metric) -> list[str]:
    data, split = (json.dumps(text, ensure_ascii=False) for text in (_data(metric), metric.split))
    name = json.dumps(f"{metric.name} (95 %: {metric.low:.3f} to {metric.high:.3f})")
    return [
        "  - task: {type: image-classification}",
        f"    dataset: {{name: {data}, type: {data}, split: {split}}}",
        "    metrics:",
        f"    - {{type: {_type(metric)}, name: {name}, value: {metric.value}}}",
    ]


def _type(metric: Metric) -> str:
    return next((kind for begin, kind in TYPES.items() if metric.name.startswith(begin)), "other")


def _data(metric: Metric) -> str:
    return metric.name.partition(", ")[2] or "all"


def _what(manifest: Manifest, done: "Finished") -> str:
    config = done.config
    how = (
        "the discriminator of an AC-GAN (class head and source head on one body), its weights "
        "averaged over the training"
        if config.mode == "acgan"
        else "the discriminator of the AC-GAN trained by its class head alone: a control"
    )
    return (
        "## What it is\n\n"
        f"It takes a white cell cut out of a smear field ({manifest.height}×{manifest.width}, RGB, "
        f"preprocessing `{manifest.preprocessing}`) and gives a probability for each of "
        f"{', '.join(manifest.labels)}, a score for how real the cell looks, and class-activation "
        f"maps. It is {how}. After Karar et al., Sensors 2022, 22, 2348."
    )


def _trained_on(manifest: Manifest) -> str:
    rows = [f"| {name} | {count} |" for name, count in sorted(manifest.trained_on.items())]
    trained = names(manifest.trained_on)
    measured = [name for name in SOURCES if name not in trained and _measured(manifest, name)]
    return "\n".join(
        [
            "## What it was trained on\n",
            "| source and class | cells |",
            "|---|---|",
            *rows,
            "",
            *(_source(name, "") for name in trained),
            *(_source(name, ", never trained on") for name in measured),
            "",
            f"Digest of cells, labels and parts: `{manifest.data_digest}`.",
        ]
    )


def _measured(manifest: Manifest, source: str) -> bool:
    return any(_data(metric) == source for metric in manifest.metrics)


def _source(name: str, word: str) -> str:
    if name not in SOURCES:
        return f"- `{name}`{word}: licence {UNKNOWN}."
    source = SOURCES[name]
    where = f", {source.hub}" if source.hub else ""
    return f"- `{name}`{word}: {source.what}; {source.citation}{where}. Licence: {source.licence}."


def _figures(manifest: Manifest) -> str:
    return "\n".join(
        [
            "## Figures\n",
            "Intervals are 95 %: Wilson's for shares of cells, else a bootstrap over patients or "
            "slides. `border-only` is a linear model that sees a 3-pixel border and no cell: "
            "where it does well, class follows something else than the cell.\n",
            "| figure | value | interval | cells | split | control |",
            "|---|---|---|---|---|---|",
            *(_row(metric) for metric in manifest.metrics),
        ]
    )


def _row(metric: Metric) -> str:
    return (
        f"| {metric.name} | {metric.value:.3f} | {metric.low:.3f} to {metric.high:.3f} "
        f"| {metric.n} | {metric.split} | {metric.control} |"
    )


def _made(manifest: Manifest, done: "Finished", made: Made) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
    return (
        "## How it was made\n\n"
        f"```\n{manifest.command}\n```\n\n"
        f"{_steps(done)} of {done.config.batch} cells, seed "
        f"{done.config.seed}, code at {done.facts['commit'] or 'an unknown commit'}. {versions}. "
        f"On {made.probe} held-out cells and as many of noise the exported graph differs from "
        f"Keras by at most {made.difference:.1e}: probabilities and `real` as they are, maps and "
        "`ood` in units of their largest value."
    )


def _steps(done: "Finished") -> str:
    epochs = done.facts.get("epochs", done.config.epochs)
    if not done.config.steps:
        return f"{epochs} passes over the training part in batches"
    return f"{epochs * done.config.steps} steps"
