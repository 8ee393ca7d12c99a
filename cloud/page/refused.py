"""Why the page does not do something, for the person who asked for it."""


class PageRefused(Exception):  # noqa: N818  # a verdict, not a fault of the program
    """Not done, with the status of the answer, a code of docs/refusals.md and two sentences."""

    def __init__(self, status: int, code: str, sentence: str, remedy: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.code = code
        self.sentence = sentence
        self.remedy = remedy


def store_away() -> PageRefused:
    """The bucket does not answer: reading goes on, what would be written waits."""
    return PageRefused(
        503,
        "store-away",
        "The store does not answer; nothing can be written now.",
        "Reading goes on. Try again when the page says that the store is back.",
    )


def no_such_slide() -> PageRefused:
    """The projection does not know the slide."""
    return PageRefused(
        404,
        "slide-unknown",
        "No result of this slide is stored.",
        "Check its token; a slide appears as soon as its first field was read.",
    )
