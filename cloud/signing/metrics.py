"""What a monitor wants to know of reports on their way."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class Metrics:
    """Counts since the start, and what waits now."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.kept = Counter(
            "leukoscope_reports_kept", "Signed reports laid into the bucket", registry=self.registry
        )
        self.posted = Counter(
            "leukoscope_fhir_posts",
            "Reports that the FHIR server took or refused",
            ["outcome"],
            registry=self.registry,
        )
        self.retries = Counter(
            "leukoscope_fhir_retries",
            "Tries that the FHIR server did not answer, or put off",
            registry=self.registry,
        )
        self.due = Gauge(
            "leukoscope_reports_due",
            "Signed reports that wait to be kept or posted",
            registry=self.registry,
        )
        self.dead = Gauge(
            "leukoscope_fhir_dead_letters",
            "Reports that the FHIR server refused and nobody has looked after",
            registry=self.registry,
        )
