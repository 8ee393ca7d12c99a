"""The registry in the bucket: bundles published, one of them live. boto3, like all tools."""
