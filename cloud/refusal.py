"""A frame that cannot become a result."""


class Refusal(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """The frame is refused, with a reason code of docs/refusals.md and a sentence."""

    def __init__(self, reason: str, sentence: str, capture_id: str | None = None) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.capture_id = capture_id
