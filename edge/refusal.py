"""A capture that does not become a frame."""


class CaptureRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """The capture is refused: a code of docs/refusals.md, what happened, what to do."""

    def __init__(self, reason: str, sentence: str, remedy: str) -> None:
        super().__init__(f"{sentence} {remedy}")
        self.reason = reason
        self.sentence = sentence
        self.remedy = remedy
