"""Who may come in: checks before any route, each of them one ASGI middleware."""

from edge.page.guard.guards import Guards

__all__ = ["Guards"]
