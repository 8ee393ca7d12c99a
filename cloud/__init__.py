"""The inference endpoint: takes frames in, suggests a pre-classification, stores and tells."""
