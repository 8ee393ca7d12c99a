"""A page cannot be served."""


class PageError(RuntimeError):
    """Why there is no page, and what to do."""
