"""The registry as the worker sees it: follow the pointer, fetch, verify, exchange."""
