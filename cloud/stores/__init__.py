"""Where results live: obstore in the worker's hot path, boto3 for set-up and tools."""
