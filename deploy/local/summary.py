"""What a demo came to: numbers for programs, the same for people."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from deploy.local.agreement import Agreement
from deploy.local.journey import Journey, Journeys
from wire.words import RESEARCH_USE_ONLY

STAGES: Final = (
    "capture", "measure", "label", "find", "encode", "save", "cloud_decode", "cloud_find",
    "cloud_classify", "saved_to_stored", "saved_to_received",
)  # fmt: skip
"""Stages that `milliseconds` reports: at the station, in the worker, and over the network."""


def summarise(journeys: Journeys, in_bucket: set[str]) -> dict[str, Any]:
    """Add a run up.

    Args:
        journeys: of the run, ended.
        in_bucket: capture ids whose result was read back from the store.
    """
    saved = [journey for journey in journeys.all if journey.capture is not None]
    receipted = [j for j in saved if j.receipt is not None]
    refused_in_cloud = [j for j in receipted if j.receipt and j.receipt.outcome == "refused"]
    stored = [j for j in saved if j.capture and j.capture.frame.capture_id in in_bucket]
    return {
        "notice": RESEARCH_USE_ONLY,
        "captured": len(journeys.all),
        "saved": len(saved),
        "stored": len(stored),
        "published": sum(j.result is not None for j in saved),
        "receipted": len(receipted),
        "refused": sum(bool(j.refusal) for j in journeys.all) + len(refused_in_cloud),
        "duplicates": journeys.tally.duplicate_receipts + journeys.tally.repeated_results,
        "lost": len(saved) - len(stored) - len(refused_in_cloud),
        "refusals": _refusals(journeys.all),
        "fields_by_label": dict(Counter(j.result.label for j in saved if j.result)),
        "cells_by_label": dict(
            Counter(cell.label for j in saved if j.result for cell in j.result.cells)
        ),
        "agreement": _agreement(saved),
        "milliseconds": _milliseconds(saved),
    }


def _refusals(journeys: Iterable[Journey]) -> dict[str, int]:
    sentences = [j.refusal for j in journeys if j.refusal]
    sentences += [
        j.receipt.detail for j in journeys if j.receipt and j.receipt.outcome == "refused"
    ]
    return dict(Counter(sentences))


def _agreement(saved: list[Journey]) -> dict[str, Any] | None:
    """With the simulator's ground truth; None where there is none, as with a user's images."""
    agreement = Agreement()
    known = False
    for journey in saved:
        if journey.capture is None or journey.result is None or journey.capture.shot.truth is None:
            continue
        known = True
        scale = journey.result.width / journey.capture.shot.image.shape[1]
        agreement.add(journey.result, journey.capture.shot.truth, scale)
    return asdict(agreement) | {"share": agreement.share} if known else None


def _milliseconds(saved: list[Journey]) -> dict[str, dict[str, float]]:
    stages: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for journey in saved:
        for stage, value in _times(journey).items():
            stages[stage].append(value)
    return {
        stage: {
            "p50": round(float(np.percentile(values, 50)), 2),
            "p99": round(float(np.percentile(values, 99)), 2),
        }
        for stage, values in stages.items()
        if values
    }


def _times(journey: Journey) -> dict[str, float]:
    times = dict(journey.capture.milliseconds) if journey.capture else {}
    if journey.receipt is not None:
        times["saved_to_stored"] = (journey.receipted_at - journey.saved_at) * 1000
    if journey.result is not None:
        worker = journey.result.timings_ms
        times["cloud_decode"] = worker.decode
        if journey.capture is not None and journey.capture.frame.cells is None:
            times["cloud_find"] = worker.find  # else the station has looked already
        times["cloud_classify"] = worker.classify
        times["saved_to_received"] = (journey.received_at - journey.saved_at) * 1000
    return {stage: max(0.0, value) for stage, value in times.items()}
