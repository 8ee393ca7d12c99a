"""The model card: written from the facts of a run, so that it cannot praise more than was measured.

Its shape is that of Hugging Face model cards (YAML header, then sections).
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from wire.manifest import Manifest, Metric

if TYPE_CHECKING:
    from model.bundle.export import Finished

RESEARCH_USE_ONLY: Final = (
    "**Research use only.** This network suggests a pre-classification of white cells. It is not "
    "a medical device, was never tested on patients prospectively, and must not be used in "
    "diagnostic procedures. A person decides."
)

SOURCES: Final = {
    "deepapl": "single cells of acute myeloid leukemia patients, CellaVision; Sidhom et al. 2021, "
    "10.1038/s41698-021-00179-y (MIT at the time of publication; images not redistributed)",
    "pbc": "single cells of healthy donors, CellaVision DM96; Acevedo et al. 2020, "
    "10.17632/snkd93bnjr.1 (CC BY 4.0)",
    "bccd": "cells found in whole fields without a diagnosis; BCCD data set, (c) 2017 shenggan "
    "(MIT)",
    "lmu": "outside test; AML-Cytomorphology_LMU, Matek et al. 2019, "
    "10.7937/tcia.2019.36f5o9ld (CC BY 3.0)",
    "cnmc": "outside look; C-NMC 2019, 10.7937/tcia.2019.dc64i46r (CC BY 3.0 as reported by "
    "others)",
    "simulator": "drawn by leukoscope's own simulator (imaging/simulator), seeded",
}


def write(
    manifest: Manifest, done: "Finished", beside: "Sequence[Finished]", difference: float
) -> str:
    """The card as Markdown.

    Args:
        manifest: of the bundle.
        done: the run exported.
        beside: control runs.
        difference: largest difference between the exported graph and Keras.
    """
    sections = (
        _header(manifest),
        RESEARCH_USE_ONLY,
        _what(manifest, done),
        _trained_on(manifest),
        _cannot(manifest),
        _figures(manifest),
        _beside(manifest, beside),
        _made(manifest, done, difference),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _header(manifest: Manifest) -> str:
    return (
        "---\nlicense: apache-2.0\nlibrary_name: onnx\npipeline_tag: image-classification\n"
        "tags: [hematology, white-blood-cells, ac-gan, research-use-only]\n---\n\n"
        f"# {manifest.name} {manifest.version}"
    )


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
        f"maps. It is {how}. After Karar et al., Sensors 2022, 22, 2348. Probabilities are "
        f"scaled by a temperature of {manifest.temperature:.3f}; below "
        f"{manifest.abstain_below:.3f} the answer is `unidentified`. Both were chosen on the "
        "validation part."
    )


def _trained_on(manifest: Manifest) -> str:
    names = {name.split(" ")[0] for name in manifest.trained_on}
    rows = [f"| {name} | {count} |" for name, count in sorted(manifest.trained_on.items())]
    notes = [f"- `{name}`: {text}." for name, text in SOURCES.items() if name in names]
    looked = [f"- `{name}`, never trained on: {SOURCES[name]}." for name in ("lmu", "cnmc")]
    return "\n".join(
        [
            "## What it was trained on\n",
            "| source and class | cells |",
            "|---|---|",
            *rows,
            "",
            *notes,
            *looked,
            "",
            f"Digest of cells, labels and parts: `{manifest.data_digest}`.",
        ]
    )


def _cannot(manifest: Manifest) -> str:
    return "\n".join(["## What it cannot do\n", *(f"- {line}" for line in _limits(manifest))])


def _limits(manifest: Manifest) -> Iterable[str]:
    sources = {label: _sources(manifest, label) for label in manifest.labels}
    yield "Diagnose. It looks at single cells, without history, flow cytometry or marrow."
    if sources["ALL"] == {"simulator"}:
        yield (
            "Be trusted with real lymphoblasts: **ALL was learned from the simulator only.** No "
            "real lymphoblast was in its training; the figure for `cnmc` shows how it fares."
        )
    if real := sources["AML"] - {"simulator"}:
        yield (
            f"Tell AML from its source with certainty: real AML cells came from "
            f"{' and '.join(sorted(real))} only. Each source shows all classes it has equally "
            "often, and Normal comes from every source; still, read the figures per source."
        )
    if "deepapl" in sources["Normal"]:
        yield (
            "Settle what a mature cell of a leukemia patient is: `deepapl` mature cells are "
            "labelled Normal, and a monocyte there may be malignant. `pbc` has no patient ids, "
            "so its split is by image."
        )
    yield "Name cells outside its classes, such as plasma cells or chronic leukemias."
    yield (
        "Refuse strange input by itself: the source head was not measured as a detector of what "
        f"is no cell, and `real_below` is {manifest.real_below:g}."
    )


def _sources(manifest: Manifest, label: str) -> set[str]:
    return {name.split(" ")[0] for name in manifest.trained_on if name.endswith(f" {label}")}


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


def _beside(manifest: Manifest, beside: "Sequence[Finished]") -> str:
    if not beside:
        return ""
    lines = ["## Beside it: control runs on the same data and split\n"]
    lines.append("| figure | this bundle | " + " | ".join(_title(run) for run in beside) + " |")
    lines.append("|---|---|" + "---|" * len(beside))
    others = [{metric.name: metric for metric in run.metrics} for run in beside]
    for metric in manifest.metrics:
        if not any(metric.name in other for other in others):
            continue
        cells = [_short(other.get(metric.name)) for other in others]
        lines.append(f"| {metric.name} | {_short(metric)} | " + " | ".join(cells) + " |")
    if any(run.config.leave_out for run in beside):
        lines.append(
            "\nA run without a source is measured on all cells of that source (its figures of all "
            "`real` cells are then of the sources that are left), and shows how far "
            "the others carry: what it learned of a class from the simulator alone is what can be "
            "hoped for wherever this bundle learned a class from the simulator alone."
        )
    return "\n".join(lines)


def _title(run: "Finished") -> str:
    what = "AC-GAN" if run.config.mode == "acgan" else "same network trained plainly"
    out = f", without {', '.join(run.config.leave_out)}" if run.config.leave_out else ""
    return f"{what}{out} ({run.config.epochs * run.config.steps} steps)"


def _short(metric: Metric | None) -> str:
    if metric is None:
        return "not measured"
    return f"{metric.value:.3f} ({metric.low:.3f} to {metric.high:.3f})"


def _made(manifest: Manifest, done: "Finished", difference: float) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in manifest.versions.items())
    return (
        "## How it was made\n\n"
        f"```\n{manifest.command}\n```\n\n"
        f"{done.config.epochs * done.config.steps} steps of {done.config.batch} cells, seed "
        f"{done.config.seed}, code at {done.facts['commit'] or 'an unknown commit'}. {versions}. "
        f"The exported graph differs from Keras by at most {difference:.1e} on held-out cells "
        "and noise."
    )
