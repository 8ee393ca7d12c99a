"""What Prometheus can read of the worker. No label ever holds a capture, slide or device."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30)


class Metrics:
    """The worker's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.frames = Counter(
            "leukoscope_frames",
            "Frames ended, by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self.refusals = Counter(
            "leukoscope_refusals", "Refused frames, by reason", ["reason"], registry=self.registry
        )
        self.in_hand = Gauge(
            "leukoscope_frames_in_hand", "Frames taken and not yet ended", registry=self.registry
        )
        self.connected = Gauge(
            "leukoscope_broker_connected", "1 while connected", registry=self.registry
        )
        self.store_failures = Counter(
            "leukoscope_store_failures", "Requests the store did not answer", registry=self.registry
        )
        self.model = Info("leukoscope_model", "The live model bundle", registry=self.registry)
        self.model_swaps = Counter(
            "leukoscope_model_swaps", "Times another bundle went live", registry=self.registry
        )
        self.model_refusals = Counter(
            "leukoscope_model_refusals", "Promoted bundles refused", registry=self.registry
        )
        self.seconds = Histogram(
            "leukoscope_stage_seconds",
            "Wall time of a stage of one frame",
            ["stage"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        for outcome in ("stored", "duplicate", "refused", "unanswered"):
            self.frames.labels(outcome)
        self._stage = {s: self.seconds.labels(s) for s in ("read", "store", "whole")}

    def observe(self, stage: str, seconds: float) -> None:
        """Note how long a stage (`read`, `store` or `whole`) of one frame took."""
        self._stage[stage].observe(seconds)
