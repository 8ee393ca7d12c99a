"""A slide's report: one set of facts, from which page, PDF and FHIR are made."""
