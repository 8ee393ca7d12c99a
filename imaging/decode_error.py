"""Why an image was refused."""

from typing import Literal, TypeAlias

DecodeReason: TypeAlias = Literal[
    "sha256-mismatch",
    "image-unreadable",
    "image-format",
    "image-too-large",
    "image-too-small",
    "image-truncated",
]


class DecodeError(ValueError):
    """An image is refused. The message says what was wrong and what to do.

    Attributes:
        reason: the code that a receipt carries.
    """

    def __init__(self, reason: DecodeReason, message: str) -> None:
        super().__init__(message)
        self.reason: DecodeReason = reason
