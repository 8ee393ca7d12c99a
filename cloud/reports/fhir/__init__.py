"""A report as a FHIR R4 bundle (see docs/decisions/019)."""
