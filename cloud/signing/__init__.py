"""What follows a signature: the report is kept in the bucket, and posted to a FHIR server."""
