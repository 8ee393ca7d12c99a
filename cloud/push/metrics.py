"""What a monitor wants to know of pushes."""

from prometheus_client import CollectorRegistry, Counter


class Metrics:
    """Counts since the start, by what came of each push."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._pushes = Counter(
            "leukoscope_pushes",
            "Pushes by outcome: sent; gone: the device is there no more; refused; later: tried "
            "again; given-up; trouble: the accounts' database did not answer",
            ["outcome"],
            registry=self.registry,
        )

    def count(self, outcome: str) -> None:
        """One more."""
        self._pushes.labels(outcome).inc()

    def counts(self) -> dict[str, int]:
        """How often each outcome was."""
        return {
            sample.labels["outcome"]: int(sample.value)
            for family in self._pushes.collect()
            for sample in family.samples
            if sample.name.endswith("_total")
        }
