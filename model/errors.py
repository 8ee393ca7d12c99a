"""What a person has to put right."""


class ModelError(RuntimeError):
    """Training, export or verification cannot go on. The message says why and what to do."""
