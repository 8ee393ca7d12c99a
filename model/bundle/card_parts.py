"""Sections of the model card that take some telling: limits, controls, answers, files."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from model.bundle.made import Made
from wire.manifest import CARD_NAME, GRAPH_NAME, INT8_NAME, MANIFEST_NAME, Manifest, Metric
from wire.signature import SIGNATURE_NAME

if TYPE_CHECKING:
    from model.bundle.export import Finished

DRAWN: Final = "simulator"


def learned(manifest: Manifest) -> str:
    """Which class was learned from which real images, and which from drawn ones."""
    lines = ["## Which class was learned from what\n"]
    for label in manifest.labels:
        real = _cells(manifest, label, drawn=False)
        drawn = _cells(manifest, label, drawn=True)
        lines.append(f"- {label}: {_said(label, real, drawn)}")
    return "\n".join(lines)


def _said(label: str, real: dict[str, int], drawn: dict[str, int]) -> str:
    if not real and not drawn:
        return "**from nothing: no training cell shows it, and it is never answered.**"
    shown = " and ".join(f"{count} real cells of `{name}`" for name, count in sorted(real.items()))
    made = f"{sum(drawn.values())} drawn by the simulator" if drawn else ""
    if not real:
        return f"**{label} was learned from the simulator only**, from {made}; from no real cell."
    return f"from {shown}{f', and {made}' if made else ', and from no drawn one'}."


def _cells(manifest: Manifest, label: str, *, drawn: bool) -> dict[str, int]:
    found = {}
    for name, count in manifest.trained_on.items():
        source, _, kind = name.rpartition(" ")
        if kind == label and (source == DRAWN) == drawn:
            found[source] = count
    return found


def cannot(manifest: Manifest) -> str:
    """The limits."""
    return "\n".join(["## What it cannot do\n", *(f"- {line}" for line in _limits(manifest))])


def _limits(manifest: Manifest) -> Iterable[str]:
    yield "Diagnose. It looks at single cells, without history, flow cytometry or marrow."
    for label in manifest.labels:
        if _cells(manifest, label, drawn=True) and not _cells(manifest, label, drawn=False):
            yield (
                f"Be trusted with real cells of {label}: **{label} was learned from the simulator "
                "only.** No real one was in its training"
                + ("; the figure for `cnmc` shows how it fares." if _looked(manifest) else ".")
            )
    real = sorted(_cells(manifest, "AML", drawn=False))
    if len(real) == 1:
        yield (
            f"Tell AML from its source with certainty: real AML cells came from `{real[0]}` only. "
            "Each source shows all classes it has equally often, and Normal was learned from "
            f"{_named(manifest, 'Normal')}; still, read the figures per source."
        )
    if "deepapl" in _cells(manifest, "Normal", drawn=False):
        yield (
            "Settle what a mature cell of a leukemia patient is: `deepapl` mature cells are "
            "labelled Normal, and a monocyte there may be malignant."
        )
    if "pbc" in _cells(manifest, "Normal", drawn=False):
        yield "Vouch for `pbc` by donor: that set has no patient ids, so its split is by image."
    yield "Name cells outside its classes, such as plasma cells or chronic leukemias."
    if manifest.ood_above is None:
        yield "Refuse strange input by itself: it has no score for what is unlike its training."
    else:
        yield "Refuse every strange input: the share found for each kind stands with its answers."


def _named(manifest: Manifest, label: str) -> str:
    taught = {**_cells(manifest, label, drawn=False), **_cells(manifest, label, drawn=True)}
    return " and ".join(f"`{source}`" for source in sorted(taught))


def _looked(manifest: Manifest) -> bool:
    return any("cnmc" in metric.name for metric in manifest.metrics)


def answers(manifest: Manifest, made: Made) -> str:
    """When it answers, what its sets promise, and what it takes for a stranger."""
    lines = [
        "## When it answers\n",
        f"Probabilities are scaled by a temperature of {manifest.temperature:.3f}. The answer is "
        f"`unidentified` below a largest probability of {manifest.abstain_below:.3f}"
        + ("." if manifest.ood_above is None else f", or above `ood` {manifest.ood_above:.2f}.")
        + " All of these were chosen on the validation part, never on the test part.",
    ]
    if made.sets is not None:
        sizes = ", ".join(f"{count} of size {size}" for size, count in made.sets.sizes.items())
        lines.append(
            f"\n**Conformal sets** (split conformal, level {made.sets.level:g}): every class of at "
            f"least {made.sets.threshold:.3f}, and the likeliest always. On the test part the "
            f"right class is in {made.sets.coverage.value:.3f} of the sets (95 %: "
            f"{made.sets.coverage.low:.3f} to {made.sets.coverage.high:.3f}); {sizes}. The promise "
            "holds for cells drawn like the validation cells; a new patient or laboratory is not."
        )
    if manifest.ood_above is not None:
        lines.append(
            "\n**Strangers.** `ood` is the Mahalanobis distance of the averaged features to the "
            "nearest centre of a class of a source (Lee et al. 2018), inside the graph"
            + (
                ", or by how much a centre learned from platelets of `pbc` is nearer"
                if "platelets" in manifest.ood_score
                else "; large platelets, which look like white cells once cut, it does not find"
            )
            + ". 98 % of the validation cells lie below the bound. Held-out cells kept: "
            + "; ".join(f"`{one.source}` {one.share:.3f} of {one.n}" for one in made.kept)
            + ". `leukoscope-model ood` measures what it finds of red cells, platelets, empty "
            "places, blur, photographs and noise."
        )
    return "\n".join(lines)


def files(manifest: Manifest, made: Made) -> str:
    """What lies in the bundle, and what does not and why."""
    small = made.quantised
    measured = (
        f"{small.int8_ms:.2f} ms a cell against {small.float_ms:.2f} for the float graph on one "
        f"thread, and {small.agreement:.4f} of {small.cells} held-out cells answered alike"
    )
    lines = [
        "## Files\n",
        f"- `{GRAPH_NAME}`: the classifier, opset 18.",
        f"- `{INT8_NAME}`: statically quantised; {measured}."
        if small.written
        else f"- No int8 graph: it was tried and is not better ({measured}; it has to be faster "
        "and agree on 0.999).",
        f"- `{manifest.generator}`: the GAN's generator, within {made.generator} grey levels of "
        "Keras'; `leukoscope-model sample` draws with it."
        if manifest.generator
        else "- No generator: the run kept none.",
        f"- `{MANIFEST_NAME}`, `{CARD_NAME}`.",
        f"- `{SIGNATURE_NAME}`: an elliptic-curve signature over all other files (model-signing). "
        "Workers refuse the bundle where a bit of it was changed."
        if made.signed
        else f"- No `{SIGNATURE_NAME}` when this card was written: workers refuse an unsigned "
        "bundle.",
        f"\nSHA-256 of the weights: `{manifest.weights_digest}`.",
    ]
    return "\n".join(lines)


def beside(manifest: Manifest, runs: "Sequence[Finished]") -> str:
    """Control runs on the same data and split."""
    if not runs:
        return ""
    lines = ["## Beside it: control runs on the same data and split\n"]
    lines.append("| figure | this bundle | " + " | ".join(_title(run) for run in runs) + " |")
    lines.append("|---|---|" + "---|" * len(runs))
    others = [{metric.name: metric for metric in run.metrics} for run in runs]
    for metric in manifest.metrics:
        if not any(metric.name in other for other in others):
            continue
        cells = [_short(other.get(metric.name)) for other in others]
        lines.append(f"| {metric.name} | {_short(metric)} | " + " | ".join(cells) + " |")
    if any(run.config.leave_out for run in runs):
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
