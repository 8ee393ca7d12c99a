"""Who may come in: checks before any route, each of them one ASGI middleware."""

from cloud.page.guard.guards import Guards

__all__ = ["Guards"]
